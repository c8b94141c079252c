const DAY_MS: number = 24 * 60 * 60 * 1_000;

const CLOCK = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const DAY = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
const FULL = new Intl.DateTimeFormat("en-GB", { dateStyle: "full", timeStyle: "long" });

/** Time of a log entry in the person's zone: the clock within the last day, day and clock before. */
export function logTimeText(timeMs: number, nowMs: number): string {
  const clock = CLOCK.format(timeMs);
  return Math.abs(nowMs - timeMs) < DAY_MS ? clock : `${DAY.format(timeMs)}, ${clock}`;
}

export function fullTimeText(timeMs: number): string {
  return FULL.format(timeMs);
}

export function dayText(timeMs: number): string {
  return DAY.format(timeMs);
}
