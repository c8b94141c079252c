import type { Logger } from "pino";
import type { Cid } from "../../protocol/cid.ts";
import { FailureError } from "../../protocol/failure.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import type { BlobFolder } from "../blob-folder.ts";
import type { Schedule } from "../schedule/schedule.ts";
import type { DeploymentLog } from "./deployment-log.ts";
import type { DeploymentRows, VersionRow } from "./deployment-rows.ts";
import { type DeploymentRuns, failureWords, isPassing } from "./deployment-runs.ts";
import { calleesOf } from "./choose-replicas.ts";
import { type Deployment, newDeployment, termsOf, type Version, versionOf } from "./kept-deployment.ts";
import { TRIAL_MS, TRIAL_PAUSE_MS } from "./limits.ts";
import { readBlob } from "./read-blob.ts";
import { type ReplicaKeeper, tryOut } from "./replica-keeper.ts";

export interface DeploymentsParts {
  readonly rows: DeploymentRows;
  readonly log: DeploymentLog;
  readonly blobs: BlobFolder;
  readonly runs: DeploymentRuns;
  readonly replicas: ReplicaKeeper;
  /** What starts its runs from now on. */
  readonly setTriggers: Schedule["setTriggers"];
  readonly lines: Pick<Logger, "error">;
  readonly nowMs: () => number;
}

/** All deployments of a relay: which version of each runs, and what becomes of a new one. */
export class Deployments {
  readonly #parts: DeploymentsParts;
  readonly #byName = new Map<string, Deployment>();
  readonly #stopping = new AbortController();
  readonly #trials = new Set<Promise<void>>();

  constructor(parts: DeploymentsParts) {
    this.#parts = parts;
  }

  get size(): number {
    return this.#byName.size;
  }

  find(name: string): Deployment | undefined {
    return this.#byName.get(name);
  }

  of(owner: PeerId): readonly Deployment[] {
    return [...this.#byName.values()].filter((deployment) => deployment.owner === owner);
  }

  /** Takes up what was there when the relay stopped. One whose plan is gone is told of in its log, and waits. */
  async open(): Promise<void> {
    for (const { name, owner } of this.#parts.rows.all()) {
      const deployment = newDeployment(name, owner);
      this.#byName.set(name, deployment);
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      for (const row of this.#parts.rows.versions(name)) await this.#take(deployment, row);
    }
  }

  /** A version that is to be tried, and runs if it does well. */
  propose(
    terms: { readonly name: string; readonly owner: PeerId },
    version: Version,
    body: Uint8Array,
  ): Deployment {
    const { rows, log, blobs, nowMs } = this.#parts;
    const { name, owner } = terms;
    const deployment = this.#byName.get(name) ?? newDeployment(name, owner);
    this.#byName.set(name, deployment);
    if (deployment.next !== undefined) blobs.release(blobsOf(deployment.next));
    rows.propose(name, owner, version.terms.version, version.id, body, nowMs());
    blobs.keep(blobsOf(version));
    deployment.next = version;
    deployment.hasFailed = false;
    deployment.trialAt = nowMs();
    log.write(name, "version", `version ${version.terms.version} is being tried`);
    this.#look(deployment);
    return deployment;
  }

  /** Nothing of it runs any more, and its name stays its owner's for a while. */
  end(deployment: Deployment): void {
    const { rows, log, setTriggers, blobs, nowMs } = this.#parts;
    const { name, current, next } = deployment;
    deployment.ending.abort(new FailureError("cancelled", "the deployment has ended"));
    setTriggers(name, []);
    rows.end(name, nowMs());
    this.#byName.delete(name);
    for (const version of [current, next]) if (version !== undefined) blobs.release(blobsOf(version));
    log.write(name, "version", "it has ended");
  }

  /** One look at all: who stands ready, and what is to be tried. */
  turn(): void {
    for (const deployment of this.#byName.values()) this.#look(deployment);
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new FailureError("draining", "the relay stops"));
    await Promise.all(this.#trials);
  }

  async #take(deployment: Deployment, row: VersionRow): Promise<void> {
    const { log, blobs, lines } = this.#parts;
    try {
      const version = await this.#versionOf(row);
      blobs.keep(blobsOf(version));
      if (row.role === "current") deployment.current = version;
      else deployment.next = version;
    } catch (error) {
      lines.error({ err: error, deployment: row.name }, "a deployment cannot be taken up");
      log.write(row.name, "trouble", `its plan cannot be read: ${failureWords(error)}`);
    }
  }

  async #versionOf(row: VersionRow): Promise<Version> {
    return versionOf(row, await readBlob(this.#parts.blobs, termsOf(row.body).plan));
  }

  #look(deployment: Deployment): void {
    const { replicas, lines } = this.#parts;
    try {
      replicas.turn(deployment, this.#stopping.signal);
      this.#try(deployment);
    } catch (error) {
      lines.error({ err: error, deployment: deployment.name }, "a deployment could not be looked after");
    }
  }

  #try(deployment: Deployment): void {
    const { next, trialAt } = deployment;
    if (next === undefined || trialAt === undefined || this.#parts.nowMs() < trialAt) return;
    deployment.trialAt = undefined;
    const trial = this.#tryOut(deployment, next)
      .catch((error: unknown) =>
        this.#parts.lines.error({ err: error, deployment: deployment.name }, "a version could not be tried"),
      )
      .finally(() => this.#trials.delete(trial));
    this.#trials.add(trial);
  }

  async #tryOut(deployment: Deployment, next: Version): Promise<void> {
    const { runs, nowMs } = this.#parts;
    const { terms, since } = next;
    try {
      if (terms.health !== undefined) {
        const providers = deployment.replicas.map(({ provider }) => provider);
        const among = providers.length === 0 ? undefined : providers;
        const why = `trying out version ${terms.version}`;
        await tryOut(runs, deployment, next, why, among, this.#stopping.signal);
      }
      if (deployment.next === next) this.#promote(deployment, next);
    } catch (error) {
      if (deployment.next !== next || this.#stopping.signal.aborted) return;
      const mayPass = isPassing(error) || (error instanceof Error && error.message.startsWith("no-provider"));
      if (mayPass && nowMs() - since < TRIAL_MS) deployment.trialAt = nowMs() + TRIAL_PAUSE_MS;
      else this.#drop(deployment, next, failureWords(error));
    }
  }

  #promote(deployment: Deployment, next: Version): void {
    const { rows, log, setTriggers, blobs, nowMs } = this.#parts;
    const { name, current } = deployment;
    rows.promote(name, nowMs());
    if (current !== undefined) blobs.release(blobsOf(current));
    deployment.current = next;
    delete deployment.next;
    setTriggers(name, next.terms.triggers);
    log.write(name, "version", `version ${next.terms.version} runs`);
  }

  #drop(deployment: Deployment, next: Version, why: string): void {
    const { rows, log, blobs } = this.#parts;
    const { name, current } = deployment;
    // A first version stays to be looked at, and is tried again when the relay starts anew.
    deployment.hasFailed = current === undefined;
    if (current !== undefined) {
      rows.dropNext(name);
      blobs.release(blobsOf(next));
      delete deployment.next;
    }
    const stays = current === undefined ? "nothing runs" : `version ${current.terms.version} goes on`;
    log.write(name, "version", `version ${next.terms.version} did not pass its trial: ${why}; ${stays}`);
  }
}

/** The plan, and what it calls: they stay among the blobs. */
function blobsOf({ terms, plan }: Version): readonly Cid[] {
  return [terms.plan, ...calleesOf(plan).map(({ cid }) => cid)];
}
