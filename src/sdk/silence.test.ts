import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Silence } from "./silence.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it("is told once somebody who has begun to speak stops, and not before", () => {
  const told = vi.fn<() => void>();
  const silence = new Silence(100, told);
  vi.advanceTimersByTime(10_000);
  expect(told).not.toHaveBeenCalled();
  for (let word = 0; word < 5; word += 1) {
    silence.heard();
    vi.advanceTimersByTime(99);
  }
  expect(told).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(told).toHaveBeenCalledTimes(1);
});

it("is not told when all was said, whatever comes late", () => {
  const told = vi.fn<() => void>();
  const silence = new Silence(100, told);
  silence.heard();
  silence.end();
  silence.heard();
  vi.advanceTimersByTime(10_000);
  expect(told).not.toHaveBeenCalled();
});
