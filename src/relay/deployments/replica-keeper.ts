import type { PeerId } from "../../protocol/peer-id.ts";
import type { LiveOffers } from "../offers/live-offers.ts";
import { chooseReplicas, fits, needsOf } from "./choose-replicas.ts";
import type { DeploymentLog } from "./deployment-log.ts";
import { failureWords, isPassing, type DeploymentRuns } from "./deployment-runs.ts";
import type { Deployment, Replica, Version } from "./kept-deployment.ts";
import { CALLER_NO_PROVIDER_MS, GONE_MS, HEALTH_MS, SHUNNED_MS } from "./limits.ts";

export interface ReplicaKeeperParts {
  readonly offers: Pick<LiveOffers, "list">;
  readonly sameOwner: (a: PeerId, b: PeerId) => boolean;
  /** Whether an identity gets no work here. */
  readonly isDenied: (provider: PeerId) => boolean;
  readonly runs: DeploymentRuns;
  readonly log: DeploymentLog;
  readonly nowMs: () => number;
}

/** Keeps providers of so many owners ready for each deployment: looks whether they are there, tries them out, and takes others for those that leave. */
export class ReplicaKeeper {
  readonly #parts: ReplicaKeeperParts;

  constructor(parts: ReplicaKeeperParts) {
    this.#parts = parts;
  }

  /** One look. Trials that it begins go on by themselves. */
  turn(deployment: Deployment, signal: AbortSignal): void {
    const version = deployment.current ?? deployment.next;
    if (version === undefined) return;
    const before = ready(deployment).length;
    const there = this.#there(version);
    this.#leave(deployment, new Set(there));
    this.#join(deployment, version, there);
    for (const replica of deployment.replicas) this.#look(deployment, version, replica, signal);
    this.#tell(deployment, version, before);
  }

  /** Providers that fit, those with most room first. */
  #there({ plan }: Version): readonly PeerId[] {
    const { offers, isDenied } = this.#parts;
    const needs = needsOf(plan);
    const fitting = offers.list().filter((candidate) => fits(candidate, needs));
    const best = fitting.toSorted((a, b) => b.free - a.free).map(({ offer }) => offer.provider);
    return [...new Set(best)].filter((provider) => !isDenied(provider));
  }

  #leave(deployment: Deployment, there: ReadonlySet<PeerId>): void {
    const { log, nowMs } = this.#parts;
    const now = nowMs();
    for (const replica of deployment.replicas) if (there.has(replica.provider)) replica.seen = now;
    const stay = deployment.replicas.filter(({ seen, health }) => now - seen < GONE_MS && health !== "ill");
    for (const { provider, health } of deployment.replicas.filter((each) => !stay.includes(each)))
      if (health !== "ill") log.write(deployment.name, "replica", `${provider} has left`);
    deployment.replicas = stay;
  }

  #join(deployment: Deployment, { terms, wanted }: Version, there: readonly PeerId[]): void {
    const { sameOwner, log, nowMs } = this.#parts;
    const now = nowMs();
    for (const [provider, at] of deployment.shunned)
      if (now - at >= SHUNNED_MS) deployment.shunned.delete(provider);
    const joining = chooseReplicas(
      deployment.replicas.map(({ provider }) => provider),
      there.filter((provider) => !deployment.shunned.has(provider)),
      wanted,
      sameOwner,
    );
    for (const provider of joining) {
      const health = terms.health === undefined ? "well" : "unknown";
      deployment.replicas.push({ provider, since: now, seen: now, health, isChecking: false });
      log.write(deployment.name, "replica", `${provider} stands ready`);
    }
  }

  #look(deployment: Deployment, version: Version, replica: Replica, signal: AbortSignal): void {
    // A version is tried by itself before it runs.
    if (version.terms.health === undefined || version !== deployment.current || replica.isChecking) return;
    if (replica.checked !== undefined && this.#parts.nowMs() - replica.checked < HEALTH_MS) return;
    replica.isChecking = true;
    void this.#tryOut(deployment, version, replica, signal).finally(() => {
      replica.isChecking = false;
      replica.checked = this.#parts.nowMs();
    });
  }

  async #tryOut(
    deployment: Deployment,
    version: Version,
    replica: Replica,
    signal: AbortSignal,
  ): Promise<void> {
    const { runs, log, nowMs } = this.#parts;
    const { provider } = replica;
    const why = `trying out ${provider}`;
    try {
      await tryOut(runs, deployment, version, why, [provider], signal);
      replica.health = "well";
    } catch (error) {
      // What lies with the relay, or with money, says nothing of the provider.
      if (signal.aborted || isPassing(error) || isOfMoney(error)) return;
      replica.health = "ill";
      deployment.shunned.set(provider, nowMs());
      log.write(deployment.name, "replica", `${provider} did not pass its trial: ${failureWords(error)}`);
    }
  }

  #tell(deployment: Deployment, { wanted }: Version, before: number): void {
    const { log } = this.#parts;
    const after = ready(deployment).length;
    if (before >= wanted && after < wanted)
      log.write(deployment.name, "trouble", `${after} of ${wanted} owners stand ready`);
  }
}

/** Replicas that may be given work. */
export function ready({ replicas }: Deployment): readonly Replica[] {
  return replicas.filter(({ health }) => health === "well");
}

function isOfMoney(error: unknown): boolean {
  return error instanceof Error && /insufficient-funds|key-revoked|expired/u.test(error.message);
}

/** A run with the parameters for health. @throws FailureError why it failed */
export async function tryOut(
  runs: DeploymentRuns,
  deployment: Deployment,
  version: Version,
  why: string,
  providers: readonly PeerId[] | undefined,
  signal: AbortSignal,
): Promise<void> {
  const run = await runs.start(
    {
      deployment,
      version,
      why,
      input: {},
      first: version.terms.health ?? "{}",
      noProviderTimeoutMs: CALLER_NO_PROVIDER_MS,
      ...(providers === undefined ? {} : { providers }),
    },
    signal,
  );
  let failure: unknown;
  try {
    await run.result();
  } catch (error) {
    failure = error;
    throw error;
  } finally {
    await runs.ended(deployment.name, run, failure);
  }
}
