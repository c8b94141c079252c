const SECOND_MS = 1_000;
const MINUTE_MS: number = 60 * SECOND_MS;
const HOUR_MS: number = 60 * MINUTE_MS;

/** How long something has been going on: "0 s", "59 s", "3 min", "2 h 05 min". */
export function durationText(durationMs: number): string {
  const ms = Math.max(durationMs, 0);
  if (ms < MINUTE_MS) return `${Math.floor(ms / SECOND_MS)} s`;
  if (ms < HOUR_MS) return `${Math.floor(ms / MINUTE_MS)} min`;
  const minutes = Math.floor((ms % HOUR_MS) / MINUTE_MS);
  return `${Math.floor(ms / HOUR_MS)} h ${minutes.toString().padStart(2, "0")} min`;
}

/** Whole seconds that remain, counting down to 1 and never showing 0 before the time has come. */
export function countdownText(remainingMs: number): string {
  return remainingMs <= 0 ? "now" : `in ${Math.ceil(remainingMs / SECOND_MS)} s`;
}
