import type { Cid } from "../../protocol/cid.ts";
import { decodeUtf8 } from "../../protocol/text.ts";
import { firingNonce } from "../../schedule/firing-nonce.ts";
import type { HeldFiring } from "../schedule/firing.ts";
import type { Fire, FiringEnd } from "../schedule/schedule.ts";
import type { DeploymentLog } from "./deployment-log.ts";
import { type DeploymentRuns, failureWords, isPassing } from "./deployment-runs.ts";
import type { Deployments } from "./deployments.ts";
import type { Deployment } from "./kept-deployment.ts";
import type { StartedRun } from "./plan-requester.ts";
import { ready } from "./replica-keeper.ts";
import type { RunInput } from "./run-params.ts";

export interface FireParts {
  readonly deployments: Pick<Deployments, "find">;
  readonly runs: DeploymentRuns;
  readonly log: DeploymentLog;
  /** How a run has ended by the books; undefined while it goes on. */
  readonly endOf: (run: Cid) => "done" | "failed" | "cancelled" | undefined;
}

/** What a webhook was called with, as it waits: media type, a zero byte, the body. */
export function hookPayload(contentType: string, body: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from(`${contentType}\0`), body]);
}

function inputOf({ trigger, event, at, payload }: HeldFiring, kind: string): RunInput {
  const told = { trigger, kind, event, at, time: new Date(at).toISOString() };
  if (payload === undefined) return { event: told };
  const end = payload.indexOf(0);
  const contentType = decodeUtf8(payload.subarray(0, end));
  return { event: told, contentType, body: payload.subarray(end + 1) };
}

/** Replicas that are given the work; undefined where none stands ready and anybody may have it. */
export function workers(deployment: Deployment): Pick<Parameters<DeploymentRuns["start"]>[0], "providers"> {
  const providers = ready(deployment).map(({ provider }) => provider);
  return providers.length === 0 ? {} : { providers };
}

/** Runs of one event that a relay which stopped has cancelled, at most; each start of a relay begins another. */
const MAX_GENERATIONS = 16;

/**
 * Starts the run of an event. What lies with the plan, the parameters or the money ends the firing; what lies with the relay or the
 * way to it is tried again, under the same nonce. A run that was cancelled because its relay stopped is over for good: the event then
 * gets another, by a nonce that follows from the event as well.
 */
export function firing(parts: FireParts): Fire {
  return async (held, started, signal): Promise<FiringEnd> => {
    for (let generation = 0; generation < MAX_GENERATIONS; generation += 1) {
      // oxlint-disable-next-line no-await-in-loop -- the next only where this one was cancelled
      const end = await carryOut(parts, held, generation, started, signal);
      if (end !== "cancelled") return end;
    }
    return { ok: false, words: "the relay stopped too often while it ran" };
  };
}

async function carryOut(
  { deployments, runs, log, endOf }: FireParts,
  held: HeldFiring,
  generation: number,
  started: (run: Cid) => void,
  signal: AbortSignal,
): Promise<FiringEnd | "cancelled"> {
  const deployment = deployments.find(held.deployment);
  const version = deployment?.current;
  const trigger = version?.terms.triggers.find(({ id }) => id === held.trigger);
  if (deployment === undefined || version === undefined || trigger === undefined)
    return { ok: false, words: "the deployment has no such trigger any more" };
  const { name } = deployment;
  const known = generation === 0 && held.run !== undefined ? held.run : undefined;
  const earlier = known === undefined ? undefined : endOf(known);
  if (earlier !== undefined && earlier !== "cancelled") return endWords(earlier);
  let run: StartedRun;
  try {
    run = await runs.start(
      {
        deployment,
        version,
        input: inputOf(held, trigger.kind),
        kind: "fired",
        why: `${trigger.kind} ${held.trigger}`,
        nonce: firingNonce(
          name,
          held.trigger,
          generation === 0 ? held.event : `${held.event}\n${generation}`,
        ),
        issuedAt: held.begun,
        ...(known === undefined || earlier !== undefined ? {} : { continues: known }),
        ...workers(deployment),
      },
      signal,
    );
  } catch (error) {
    if (isPassing(error)) throw error;
    const words = `${held.trigger} fired, and no run began: ${failureWords(error)}`;
    log.write(name, "trouble", words);
    return { ok: false, words };
  }
  const before = endOf(run.run);
  if (before !== undefined) return before === "cancelled" ? before : endWords(before);
  started(run.run);
  return resultOf(runs, name, run, signal);
}

/** An earlier holder of the firing has seen it through, and fell silent before it could say so. */
function endWords(end: "done" | "failed"): FiringEnd {
  return { ok: end === "done", words: end };
}

async function resultOf(
  runs: DeploymentRuns,
  name: string,
  run: StartedRun,
  signal: AbortSignal,
): Promise<FiringEnd> {
  let failure: unknown;
  try {
    await run.result();
  } catch (error) {
    // Another goes on with it: how it ends is its to say.
    signal.throwIfAborted();
    if (isPassing(error)) throw error;
    failure = error;
  }
  await runs.ended(name, run, failure);
  return failure === undefined
    ? { ok: true, words: "done" }
    : { ok: false, words: `failed: ${failureWords(failure)}` };
}
