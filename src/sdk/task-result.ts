import { cidOf, RAW } from "../protocol/cid.ts";
import { failureCode, failureKind } from "../protocol/failure-code.ts";
import { FailureError } from "../protocol/failure.ts";
import type { PeerId } from "../protocol/peer-id.ts";
import { fuel } from "../protocol/units.ts";
import type { MapResult } from "./job-options.ts";
import type { RequesterSession } from "./requester-session.ts";
import type { Silence } from "./silence.ts";
import type { TaskAnswer } from "./task-answers.ts";
import type { TaskInput } from "./task-input.ts";
import type { TaskAttempt } from "./task-watch.ts";
import type { WorkItem } from "./work-queue.ts";

/**
 * What is sent for an input: of a stream that another provider has begun, what is left of it.
 * @param silence told of each word, where it is a stream
 */
export function inputOf(
  { bytes, cid, seed, step, size }: WorkItem,
  attempt: TaskAttempt | undefined,
  silence: Silence | undefined,
): TaskInput {
  const common = { bytes, cid, seed, ...(step === undefined ? {} : { step, size: size ?? bytes.length }) };
  if (attempt === undefined) return common;
  const { input } = attempt;
  return {
    ...common,
    bytes: input,
    cid: input === bytes ? cid : cidOf(RAW, input),
    seed,
    check(output, outcome) {
      silence?.heard();
      attempt.check(output, outcome);
    },
    ...(attempt.segment === undefined ? {} : { onSegment: (segment) => attempt.segment?.(segment) }),
  };
}

/** Failures after which another provider may succeed: not the function's own, and nobody is paid for them. */
export function mayRetry(answer: TaskAnswer): boolean {
  return answer.kind === "failed" && failureKind(answer.code).refund === "retry";
}

/** What the function itself came to on this input: it would be the same at every provider. */
export function isOwn(answer: TaskAnswer): boolean {
  return answer.kind === "done" || failureKind(answer.code).pay === "fuel";
}

/** The lease's budget covers no further task: its rest returns to the job and becomes part of a new lease. */
export function isSpent(answer: TaskAnswer): boolean {
  return answer.kind === "failed" && answer.code === failureCode("over-budget");
}

/** Closes a lease that is used up. An input that found it used up by others was not tried. */
export function leaveSpent(session: RequesterSession, item: WorkItem): void {
  if ((session.channel.receipt?.body.payable ?? 0) > 0) item.attempts -= 1;
  void session.close();
}

export function resultOf({ index, cid }: WorkItem, provider: PeerId, answer: TaskAnswer): MapResult {
  const { outputCid, fuel: used } = answer.outcome;
  return answer.kind === "done"
    ? { kind: "done", index, output: answer.output, outputCid: outputCid ?? cid, fuel: used, provider }
    : { kind: "failed", index, code: answer.code, detail: answer.detail, fuel: used, provider };
}

/** Of a task that nobody has finished. */
export function lostResult({ index, attempts }: WorkItem, provider: PeerId, error: unknown): MapResult {
  const { code, detail } =
    error instanceof FailureError ? error : new FailureError("disconnected", "the provider left");
  return {
    kind: "failed",
    index,
    code,
    detail: `not finished by ${attempts} providers, the last: ${detail}`,
    fuel: fuel(0),
    provider,
  };
}

/** Why a job ended early. */
export function failureOfJob(error: unknown): FailureError {
  return error instanceof FailureError
    ? error
    : new FailureError("relay-fault", "the job could not be carried on", { cause: error });
}
