import { expect, test } from "vitest";
import { RateLimit } from "./rate-limit.ts";

test("a key may spend its burst, then as fast as it fills up, and other keys are not touched", () => {
  let now = 0;
  const limit = new RateLimit({ burst: 3, perSecond: 2 }, "address", () => now);
  for (let count = 0; count < 3; count += 1) limit.take("a");
  expect(() => limit.take("a")).toThrow("rate-limited: too many requests from this address; wait 500 ms");
  limit.take("b");
  now += 499;
  expect(limit.tryTake("a")).toBe(false);
  now += 1;
  expect(limit.tryTake("a")).toBe(true);
  now += 60_000;
  for (let count = 0; count < 3; count += 1) expect(limit.tryTake("a")).toBe(true);
  expect(limit.tryTake("a")).toBe(false);
});

test("a clock that goes back gives nothing away and takes nothing", () => {
  let now = 10_000;
  const limit = new RateLimit({ burst: 1, perSecond: 1 }, "address", () => now);
  limit.take("a");
  now = 0;
  expect(limit.tryTake("a")).toBe(false);
});

test("many strangers do not make the ones who are out forgotten", () => {
  const limit = new RateLimit({ burst: 2, perSecond: 0.000_001 }, "address", () => 0);
  limit.take("a");
  limit.take("a");
  for (let index = 0; index < 25_000; index += 1) limit.tryTake(`stranger ${index}`);
  expect(limit.tryTake("a")).toBe(false);
});
