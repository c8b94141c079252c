import { FailureError } from "./failure.ts";
import { CLOCK_SKEW_MS } from "./limits.ts";
import type { RelayInfo } from "./relay-api.ts";

const MINUTE_MS = 60_000;

/** As "1440 minutes": whoever is asked for help sees at once whether it is a time zone, a day or a month. */
function minutes(ms: number): string {
  return `${Math.round(ms / MINUTE_MS)} minutes`;
}

/**
 * Before anything is signed: what a machine signs under a clock that is far from the relay's nobody accepts, and
 * only says that its time has passed.
 * @param nowMs milliseconds since 1970 by this machine's clock, read when the relay had answered.
 * @throws FailureError `wrong-clock` beyond CLOCK_SKEW_MS. A relay that does not tell its time is believed.
 */
export function checkClock({ now }: Pick<RelayInfo, "now">, nowMs: number): void {
  if (now === undefined) return;
  const aheadMs = nowMs - now;
  if (Math.abs(aheadMs) <= CLOCK_SKEW_MS) return;
  const side = aheadMs > 0 ? "ahead of" : "behind";
  throw new FailureError("wrong-clock", `this machine is ${minutes(Math.abs(aheadMs))} ${side} the relay`);
}
