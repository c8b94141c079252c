import { REVEAL_PATIENCE_MS, SLOW_BYTES_PER_MS } from "./limits.ts";
import { FailureError } from "../protocol/failure.ts";
import type { RequesterSession } from "./requester-session.ts";

/** Ends the session of a provider that lets one wait. */
export async function within<T>(session: RequesterSession, promise: Promise<T>, ms: number): Promise<T> {
  const timer = setTimeout(
    () => session.fail(new FailureError("timed-out", "the provider did not answer in time")),
    ms,
  );
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
  }
}

/** How long to wait for a sealed outcome that was asked for, milliseconds. */
export function revealMs({ channel }: RequesterSession): number {
  return REVEAL_PATIENCE_MS + channel.held.job.body.limits.output / SLOW_BYTES_PER_MS;
}
