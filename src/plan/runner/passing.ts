import { type FailureCode, failureCode, failureKind, type FailureName } from "../../protocol/failure-code.ts";
import type { Capability } from "../plan.ts";

/** Refusals that may be over in a moment, although nothing of the money is kept for another attempt. */
const MAY_PASS: ReadonlySet<FailureCode> = new Set(
  (
    ["no-provider", "rate-limited", "relay-fault", "verification-failed", "deadline"] satisfies FailureName[]
  ).map(failureCode),
);

/** Whether the same step may come to something when it is given out again. */
export function mayPass(code: FailureCode): boolean {
  return failureKind(code).refund === "retry" || MAY_PASS.has(code);
}

const READING: ReadonlySet<string> = new Set(["GET", "HEAD"]);

/** Whether an effect may be asked for a second time without doing a second time what it does. A put names the version that it replaces. */
export function isRepeatable(capability: Capability): boolean {
  return capability.kind !== "fetch" || capability.methods.every((method) => READING.has(method));
}

/** Failures after which nothing can have happened at the peer. */
const NOTHING_BEGAN: ReadonlySet<FailureCode> = new Set(
  (
    [
      "no-provider",
      "declined",
      "draining",
      "underpriced",
      "profile-unsupported",
      "not-started",
      "unreachable",
    ] satisfies FailureName[]
  ).map(failureCode),
);

export function nothingBegan(code: FailureCode): boolean {
  return NOTHING_BEGAN.has(code);
}
