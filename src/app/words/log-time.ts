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

const HOUR = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const DAY_UTC = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", timeZone: "UTC" });

const MONTH_UTC = new Intl.DateTimeFormat("en-GB", { month: "long", year: "numeric", timeZone: "UTC" });
const MONTH_TICK = new Intl.DateTimeFormat("en-GB", { month: "short", timeZone: "UTC" });

/** What a bar of the chart stands for: "21 Nov, 14:00", or the day or month as the relay counts it, from midnight UTC. */
export function bucketText(bucket: "hour" | "day" | "month", startMs: number): string {
  if (bucket === "month") return MONTH_UTC.format(startMs);
  return bucket === "day" ? DAY_UTC.format(startMs) : `${DAY.format(startMs)}, ${HOUR.format(startMs)}`;
}

/** A short label below the axis: the clock, or the day where one begins, or the month. */
export function bucketTick(bucket: "hour" | "day" | "month", startMs: number): string {
  if (bucket === "month") return MONTH_TICK.format(startMs);
  if (bucket === "day") return DAY_UTC.format(startMs);
  return new Date(startMs).getHours() === 0 ? DAY.format(startMs) : HOUR.format(startMs);
}
