import { createHmac, timingSafeEqual } from "node:crypto";
import type { Plan } from "../../plan/plan.ts";
import type { HookView } from "../../protocol/deployment-view.ts";
import { FailureError } from "../../protocol/failure.ts";
import type { RateLimit } from "../rate-limit.ts";
import { MAX_WAITING_OF_ONE } from "../schedule/limits.ts";
import type { ScheduleRows } from "../schedule/schedule-rows.ts";
import { BodyRoom, type BodyShare } from "./body-room.ts";
import type { DeploymentLog } from "./deployment-log.ts";
import type { DeploymentRuns } from "./deployment-runs.ts";
import { failureWords } from "./deployment-runs.ts";
import type { Deployments } from "./deployments.ts";
import { hookPayload, workers } from "./fire.ts";
import {
  CALLER_NO_PROVIDER_MS,
  HOOK_SKEW_MS,
  MAX_BODIES_BYTES,
  MAX_BODIES_OF_ONE_BYTES,
  MAX_CALLS,
} from "./limits.ts";
import type { StartedRun } from "./plan-requester.ts";
import type { RunInput } from "./run-params.ts";

export interface CallDeskParts {
  readonly deployments: Pick<Deployments, "find">;
  readonly runs: DeploymentRuns;
  readonly log: DeploymentLog;
  readonly firings: ScheduleRows;
  /** Calls of one deployment. */
  readonly limit: RateLimit;
  readonly nowMs: () => number;
}

/** A call over HTTP that has become a run. */
export interface Call {
  readonly plan: Plan;
  readonly run: StartedRun;
  /** Resolves when the run has ended and is written down. @throws FailureError why it failed */
  readonly result: Promise<Uint8Array>;
}

/** How a webhook was called: as in Standard Webhooks. */
export interface HookCall {
  readonly id: string | undefined;
  /** Seconds since 1970, as text. */
  readonly timestamp: string | undefined;
  readonly signature: string | undefined;
  readonly contentType: string;
  readonly body: Uint8Array;
}

/** Calls of deployments over HTTP: by anybody where they are open, and by their webhooks. */
export class CallDesk {
  readonly #parts: CallDeskParts;
  readonly #underWay = new Map<string, number>();
  readonly #room = new BodyRoom(MAX_BODIES_BYTES, MAX_BODIES_OF_ONE_BYTES);

  constructor(parts: CallDeskParts) {
    this.#parts = parts;
  }

  /** @throws FailureError `not-found` for a deployment that is not there or not open, before anything of the call is read */
  requireOpen(name: string): void {
    const deployment = this.#parts.deployments.find(name);
    if (deployment === undefined || (deployment.current ?? deployment.next)?.terms.open !== true)
      throw new FailureError("not-found", "nothing is deployed here that may be called");
    if (deployment.current === undefined)
      throw new FailureError("no-provider", "what is deployed here does not run yet");
  }

  /**
   * Starts a run for a caller. When the caller has gone, so has the run.
   * @param read reads what the call brings, once it is known that it may come; tells of its bytes before it keeps them
   * @throws FailureError as `requireOpen` and `read`, `rate-limited`, `malformed` for parameters, and why no run began
   */
  async call(
    name: string,
    read: (share: Pick<BodyShare, "take">) => Promise<RunInput>,
    what: string,
    gone: AbortSignal,
  ): Promise<Call> {
    this.requireOpen(name);
    const { deployments, limit } = this.#parts;
    limit.take(name);
    const share = this.#room.open(deployments.find(name)?.owner ?? name);
    const leave = this.#enter(name);
    const end = (): void => {
      share.leave();
      leave();
    };
    try {
      const { plan, run } = await this.#start(name, await read(share), what, gone);
      const result = this.#result(name, run).finally(end);
      result.catch(() => undefined);
      return { plan, run, result };
    } catch (error) {
      end();
      throw error;
    }
  }

  /**
   * Writes the event down; its run begins by itself.
   * @throws FailureError `not-found`, `bad-signature`, `expired` for a timestamp that is not of now, `malformed`, `rate-limited`
   */
  hook(name: string, trigger: string, call: HookCall): HookView {
    const { deployments, firings, limit, nowMs } = this.#parts;
    const terms = deployments.find(name)?.current?.terms.triggers.find(({ id }) => id === trigger);
    if (terms?.kind !== "webhook" || terms.secret === undefined)
      throw new FailureError("not-found", "there is no such webhook");
    const { id, contentType, body } = call;
    requireSignature(call, terms.secret, nowMs());
    if (id === undefined || id === "" || id.length > 256)
      throw new FailureError("malformed", "webhook-id is missing or has more than 256 characters");
    limit.take(name);
    if (firings.waiting(name, trigger) >= MAX_WAITING_OF_ONE)
      throw new FailureError("rate-limited", "too many calls of this webhook wait already");
    const event = { event: id, at: nowMs(), payload: hookPayload(contentType, body) };
    return { event: id, fresh: firings.addEvents({ deployment: name, id: trigger }, [event], nowMs()) === 1 };
  }

  /** The version that runs by now: what was read may have taken a while. */
  async #start(
    name: string,
    input: RunInput,
    what: string,
    gone: AbortSignal,
  ): Promise<Omit<Call, "result">> {
    this.requireOpen(name);
    const { deployments, runs, log } = this.#parts;
    const deployment = deployments.find(name);
    const version = deployment?.current;
    if (deployment === undefined || version === undefined)
      throw new FailureError("not-found", "it has ended");
    const caller = { why: what, noProviderTimeoutMs: CALLER_NO_PROVIDER_MS, ...workers(deployment) };
    try {
      return { plan: version.plan, run: await runs.start({ deployment, version, input, ...caller }, gone) };
    } catch (error) {
      if (error instanceof FailureError && !gone.aborted)
        log.write(name, "trouble", `${what}, and no run began: ${failureWords(error)}`);
      throw error;
    }
  }

  #enter(name: string): () => void {
    const others = this.#underWay.get(name) ?? 0;
    if (others >= MAX_CALLS)
      throw new FailureError("rate-limited", `${MAX_CALLS} calls of it are under way; try again in a moment`);
    this.#underWay.set(name, others + 1);
    return () => {
      const left = (this.#underWay.get(name) ?? 1) - 1;
      if (left === 0) this.#underWay.delete(name);
      else this.#underWay.set(name, left);
    };
  }

  async #result(name: string, run: StartedRun): Promise<Uint8Array> {
    const { runs } = this.#parts;
    let failure: unknown;
    try {
      return await run.result();
    } catch (error) {
      failure = error;
      throw error;
    } finally {
      // What it cost is known once all is settled; the answer does not wait for that.
      void runs.ended(name, run, failure).catch(() => undefined);
    }
  }
}

/** `webhook-signature` holds several, with spaces between them: any one may be right. @throws FailureError `bad-signature`, `expired` */
function requireSignature(
  { id, timestamp, signature, body }: HookCall,
  secret: Uint8Array,
  nowMs: number,
): void {
  const expected = createHmac("sha256", secret).update(`${id}.${timestamp}.`).update(body).digest();
  const isRight = (signature ?? "").split(" ").some((each) => {
    const [version, text = ""] = each.split(",");
    const mac = Buffer.from(text, "base64");
    return version === "v1" && mac.length === expected.length && timingSafeEqual(mac, expected);
  });
  if (!isRight) throw new FailureError("bad-signature", "webhook-signature is not of this webhook's secret");
  if (!(Math.abs(Number(timestamp) * 1_000 - nowMs) <= HOOK_SKEW_MS))
    throw new FailureError("expired", "webhook-timestamp is not of now");
}
