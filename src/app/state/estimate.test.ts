import { describe, expect, test } from "vitest";
import type { EarningsPoint } from "../../protocol/relay-api.ts";
import { microCredits } from "../../protocol/units.ts";
import { estimateWords, roughCredits } from "../words/estimate-words.ts";
import { estimateFrom } from "./estimate.ts";

const HOUR_MS = 3_600_000;
const END: number = 500_000 * HOUR_MS;
const NOW: number = END + 1_234_567;

/** So much in the hour that began so long before the last full one ended. */
function earned(hoursAgo: number, amount: number): EarningsPoint {
  return { start: END - hoursAgo * HOUR_MS, amount: microCredits(amount), tasks: 1 };
}

describe("an estimate", () => {
  test("says nothing before there is a whole day to look at", () => {
    expect(estimateFrom([], NOW)).toBeUndefined();
    expect(estimateFrom([earned(23, 5)], NOW)).toBeUndefined();
    expect(estimateFrom([earned(24, 5)], NOW)).toMatchObject({ days: 1, average: 5 });
  });

  test("is the average of whole days of 24 hours, with the poorest and the richest of them", () => {
    const hours = [earned(1, 10), earned(20, 20), earned(30, 60), earned(72, 3)];
    expect(estimateFrom(hours, NOW)).toEqual({
      low: 3,
      average: 31,
      high: 60,
      days: 3,
      hoursWorked: 4,
      total: 93n,
    });
  });

  test("leaves out the hour that runs, days begun before the first earnings, and all older than a week", () => {
    const hours = [earned(0, 1_000), earned(2, 8), earned(167, 6), earned(169, 1_000)];
    expect(estimateFrom(hours, NOW)).toMatchObject({ days: 6, total: 8n });
    expect(estimateFrom([...hours, earned(168, 6)], NOW)).toMatchObject({ days: 7, total: 20n });
  });

  test("counts days without work as what they are", () => {
    expect(estimateFrom([earned(48, 10)], NOW)).toMatchObject({ low: 0, high: 10, average: 5, days: 2 });
  });
});

test("words show no more digits than are worth anything, and say how the number is made", () => {
  const words = estimateWords({
    low: 1_234,
    average: 98_765,
    high: 1_234_567,
    days: 3,
    hoursWorked: 40,
    total: 296_295n,
  });
  expect(words.perDay).toBe("about 0.099");
  expect(words.range).toBe("Days were between 0.0012 and 1.2.");
  expect(words.made).toContain("last 3 days of 24 hours");
  expect(words.made).toContain("0.296295 in 40 hours with work, divided by the days");
  expect([roughCredits(0), roughCredits(123_456_789), roughCredits(12)]).toEqual(["0", "123", "0.000012"]);
});
