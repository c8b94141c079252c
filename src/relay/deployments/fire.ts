import { parseCid } from "../../protocol/cid.ts";
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

/**
 * Starts the run of an event. What lies with the plan, the parameters or the money ends the firing; what lies with the relay or the
 * way to it is tried again, under the same nonce.
 */
export function firing({ deployments, runs, log }: FireParts): Fire {
  return async (held, started, signal): Promise<FiringEnd> => {
    const deployment = deployments.find(held.deployment);
    const version = deployment?.current;
    const trigger = version?.terms.triggers.find(({ id }) => id === held.trigger);
    if (deployment === undefined || version === undefined || trigger === undefined)
      return { ok: false, words: "the deployment has no such trigger any more" };
    const { name } = deployment;
    let run: StartedRun;
    try {
      run = await runs.start(
        {
          deployment,
          version,
          input: inputOf(held, trigger.kind),
          why: `${trigger.kind} ${held.trigger}`,
          nonce: firingNonce(name, held.trigger, held.event),
          issuedAt: held.created,
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
    started(parseCid(run.run));
    return endOf(runs, name, run, signal);
  };
}

async function endOf(
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
