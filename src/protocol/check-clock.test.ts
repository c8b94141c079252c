import { expect, test } from "vitest";
import { checkClock } from "./check-clock.ts";
import { CLOCK_SKEW_MS } from "./limits.ts";

const NOW = 1_790_000_000_000;
const DAY_MS = 86_400_000;

test("clocks that differ by what honest machines differ are right", () => {
  for (const skew of [0, CLOCK_SKEW_MS, -CLOCK_SKEW_MS])
    expect(() => checkClock({ now: NOW }, NOW + skew)).not.toThrow();
});

test("a clock that is a day ahead, or a day behind, is said to be so", () => {
  expect(() => checkClock({ now: NOW }, NOW + DAY_MS)).toThrow("1440 minutes ahead of the relay");
  expect(() => checkClock({ now: NOW }, NOW - DAY_MS)).toThrow("1440 minutes behind the relay");
});

test("one millisecond beyond the limit is wrong", () => {
  expect(() => checkClock({ now: NOW }, NOW + CLOCK_SKEW_MS + 1)).toThrow("wrong-clock");
});

test("a relay that tells no time is believed", () => {
  expect(() => checkClock({}, NOW)).not.toThrow();
});
