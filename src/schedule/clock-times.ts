import { Cron } from "croner";
import type { TriggerTerms } from "../protocol/messages/deploy.ts";
import { utcText } from "./utc-text.ts";

/** Times by themselves: each has exactly one next. */
export interface ClockTimes {
  /** The first time after `afterMs`; undefined when there is none any more. Milliseconds since 1970. */
  next(afterMs: number): number | undefined;
}

/** Why these are no times, in words that complete a sentence; undefined where they are. */
export function whyNoTimes(terms: TriggerTerms): string | undefined {
  try {
    const times = clockTimes(terms, 0);
    if (times === undefined) return undefined;
    return times.next(0) === undefined ? "never comes" : undefined;
  } catch (error) {
    return error instanceof Error ? error.message.replace(/^Cron\w+: /u, "") : String(error);
  }
}

/**
 * Times of a trigger of the clock.
 *
 * Cron is read in the trigger's time zone. When clocks go forward, a time of the day that does not exist comes at the first
 * moment after the gap; when they go back, a single time of the day comes once, the first time round, while every minute or
 * hour comes at each of them.
 * @param sinceMs from when an interval counts @returns undefined for triggers of other kinds
 * @throws Error for a pattern or a zone that is none
 */
export function clockTimes(terms: TriggerTerms, sinceMs: number): ClockTimes | undefined {
  if (terms.kind === "interval") return intervalTimes(terms.everyMs ?? 0, sinceMs);
  if (terms.kind === "cron") return cronTimes(terms.cron ?? "", terms.zone ?? "");
  return undefined;
}

function intervalTimes(everyMs: number, sinceMs: number): ClockTimes {
  if (!(everyMs > 0)) throw new RangeError(`${everyMs} ms is no interval`);
  return {
    next: (afterMs) => sinceMs + everyMs * Math.max(1, Math.floor((afterMs - sinceMs) / everyMs) + 1),
  };
}

function cronTimes(pattern: string, zone: string): ClockTimes {
  if (zone === "") throw new RangeError("a time of the clock needs a time zone, as in Europe/Berlin or UTC");
  const cron = new Cron(pattern, { timezone: zone, paused: true, mode: "5-or-6-parts" });
  return { next: (afterMs) => cron.nextRun(utcText(Math.max(0, Math.floor(afterMs))))?.getTime() };
}
