import type { EarningsPoint } from "../../protocol/relay-api.ts";

/** What the next days may bring, from what the last ones brought. */
export interface Estimate {
  /** Micro-credits a day: between the poorest and the richest of the days looked at, and on average. */
  readonly low: number;
  readonly average: number;
  readonly high: number;
  /** Whole days looked at, and hours of them in which something was earned. */
  readonly days: number;
  readonly hoursWorked: number;
  /** Micro-credits in those days. */
  readonly total: bigint;
}

const HOUR_MS: number = 60 * 60 * 1_000;
const DAY_MS: number = 24 * HOUR_MS;
const DAYS = 7;

/**
 * The last seven days, each of 24 hours up to the last full hour, from the first in which anything was earned. Undefined
 * where there is less than one such day: a few hours say nothing about a day.
 * @param hours what was earned by hour, any order.
 */
export function estimateFrom(hours: readonly EarningsPoint[], nowMs: number): Estimate | undefined {
  const end = Math.floor(nowMs / HOUR_MS) * HOUR_MS;
  const seen = hours.filter(
    ({ start, amount }) => start < end && start >= end - DAYS * DAY_MS && amount > 0n,
  );
  const first = Math.min(...seen.map(({ start }) => start));
  const days = Math.floor((end - first) / DAY_MS);
  if (seen.length === 0 || days < 1) return undefined;
  const sums = Array.from({ length: days }, () => 0n);
  const counted = seen.filter(({ start }) => start >= end - days * DAY_MS);
  for (const { start, amount } of counted) {
    const day = Math.floor((end - 1 - start) / DAY_MS);
    sums[day] = (sums[day] ?? 0n) + amount;
  }
  const total = sums.reduce((sum, amount) => sum + amount, 0n);
  const numbers = sums.map(Number);
  return {
    low: Math.min(...numbers),
    high: Math.max(...numbers),
    average: Number(total) / days,
    days,
    hoursWorked: counted.length,
    total,
  };
}
