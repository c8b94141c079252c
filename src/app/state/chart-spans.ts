/** Stretches of time that a chart shows, and the pieces they are cut into. All by UTC, as the relay counts. */

export type Bucket = "hour" | "day" | "month";
export type Span = "hours" | "days" | "months";

const HOUR_MS: number = 60 * 60 * 1_000;
const DAY_MS: number = 24 * HOUR_MS;
const HOURS = 48;
const DAYS = 30;
const MONTHS = 12;

function monthStart(timeMs: number, monthsBack: number): number {
  const now = new Date(timeMs);
  return Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - monthsBack);
}

/** Starts of all pieces of a span, oldest first, the one that runs as the last. */
export function bucketStarts(span: Span, nowMs: number): readonly number[] {
  if (span === "months")
    return Array.from({ length: MONTHS }, (_, index) => monthStart(nowMs, MONTHS - 1 - index));
  const [step, count] = span === "hours" ? [HOUR_MS, HOURS] : [DAY_MS, DAYS];
  const last = Math.floor(nowMs / step) * step;
  return Array.from({ length: count }, (_, index) => last - (count - 1 - index) * step);
}

/** When a span begins, milliseconds since 1970. */
export function spanStartMs(span: Span, nowMs: number): number {
  return bucketStarts(span, nowMs)[0] ?? nowMs;
}
