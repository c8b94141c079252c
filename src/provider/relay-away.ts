import { failureCode } from "../protocol/failure-code.ts";
import { FailureError } from "../protocol/failure.ts";

const AWAY: ReadonlySet<number> = new Set(
  (["disconnected", "timed-out", "unreachable", "rate-limited", "relay-fault"] as const).map(failureCode),
);

/** Whether the relay cannot be asked now; else it has answered, and refused. */
export function isAway(error: unknown): boolean {
  return !(error instanceof FailureError) || AWAY.has(error.code);
}
