import { expect, it } from "vitest";
import { RecentRate } from "./recent-rate.ts";

it("is over the time since the beginning, then over the window, and falls to nothing", () => {
  let clock = 100;
  const rate = new RecentRate(5_000, () => clock);
  rate.add(10);
  expect(rate.perSecond).toBe(0);
  clock += 1_000;
  expect(rate.perSecond).toBe(10);
  rate.add(40);
  clock += 3_000;
  expect(rate.perSecond).toBe(12.5);
  clock += 1_500;
  expect(rate.perSecond).toBe(8);
  clock += 5_000;
  expect(rate.perSecond).toBe(0);
});
