import type { MissedPolicy } from "../protocol/messages/deploy.ts";
import type { ClockTimes } from "./clock-times.ts";
import { MAX_FIRINGS_AT_ONCE, ON_TIME_MS } from "./limits.ts";

/** What a look at the clock decides. */
export interface DueTimes {
  /** Times to fire for, oldest first, milliseconds since 1970. */
  readonly fire: readonly number[];
  /** Everything up to here is decided for good, whether it fires or not. */
  readonly through: number;
  /** When to look again; undefined when there is no further time. */
  readonly next: number | undefined;
}

/** Where the search for the newest time begins, ms back from now; it goes back four times as far each time. */
const FIRST_WINDOW_MS = 60_000;

/** The newest time in (afterMs, nowMs]; undefined where there is none. */
function newest(times: ClockTimes, afterMs: number, nowMs: number): number | undefined {
  for (let window = FIRST_WINDOW_MS; ; window *= 4) {
    const from = Math.max(afterMs, nowMs - window);
    let found: number | undefined;
    for (let time = times.next(from); time !== undefined && time <= nowMs; time = times.next(time))
      found = time;
    if (found !== undefined || from === afterMs) return found;
  }
}

/** The times in (afterMs, nowMs], no more than so many. */
function all(times: ClockTimes, afterMs: number, nowMs: number, most: number): readonly number[] {
  const found: number[] = [];
  for (
    let time = times.next(afterMs);
    time !== undefined && time <= nowMs && found.length < most;
    time = times.next(time)
  )
    found.push(time);
  return found;
}

function chosen(times: ClockTimes, missed: MissedPolicy, afterMs: number, nowMs: number): readonly number[] {
  switch (missed) {
    case "skip":
      return all(times, Math.max(afterMs, nowMs - ON_TIME_MS), nowMs, MAX_FIRINGS_AT_ONCE);
    case "all":
      return all(times, afterMs, nowMs, MAX_FIRINGS_AT_ONCE);
    case "once": {
      const onTime = all(times, Math.max(afterMs, nowMs - ON_TIME_MS), nowMs, MAX_FIRINGS_AT_ONCE);
      if (onTime.length > 0) return onTime;
      const last = newest(times, afterMs, nowMs);
      return last === undefined ? [] : [last];
    }
    default:
      return missed satisfies never;
  }
}

/**
 * Which times since the last look fire now. What it says depends on its arguments alone, so whoever looks first, and however
 * often, the same times fire.
 * @param afterMs `through` of the last look, or when the trigger was made @param nowMs not before it; a clock that was set back fires nothing
 */
export function dueTimes(times: ClockTimes, missed: MissedPolicy, afterMs: number, nowMs: number): DueTimes {
  if (nowMs <= afterMs) return { fire: [], through: afterMs, next: times.next(afterMs) };
  const fire = chosen(times, missed, afterMs, nowMs);
  const isMore = fire.length === MAX_FIRINGS_AT_ONCE;
  const through = isMore ? (fire.at(-1) ?? nowMs) : nowMs;
  return { fire, through, next: times.next(through) };
}
