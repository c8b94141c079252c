import { expect, it } from "vitest";
import { FIRST_WORK, SUBMIT_MS } from "./limits.ts";
import { Pace } from "./pace.ts";

/** A device that does so many multiply-adds in a millisecond, and takes a while to begin. */
function run(pace: Pace, submits: number, workPerMs: number, beginMs = 0.3): void {
  for (let i = 0; i < submits; i += 1) {
    const work = pace.workOfSubmit;
    pace.observe(work, beginMs + work / workPerMs);
  }
}

it("finds how much a fast device does in the time of a submit", () => {
  const pace = new Pace();
  run(pace, 40, 1e9);
  expect(pace.workOfSubmit / 1e9).toBeGreaterThan(0.9 * SUBMIT_MS);
  expect(pace.workOfSubmit / 1e9).toBeLessThanOrEqual(SUBMIT_MS);
});

it("finds how little a slow device does", () => {
  const pace = new Pace();
  run(pace, 20, 100, 0);
  expect(pace.workOfSubmit).toBeCloseTo(100 * SUBMIT_MS);
});

it("gives way at once where a device becomes slower", () => {
  const pace = new Pace();
  run(pace, 40, 1e6, 0);
  pace.observe(pace.workOfSubmit, 4 * SUBMIT_MS);
  expect(pace.workOfSubmit).toBeCloseTo((1e6 * SUBMIT_MS) / 4);
  expect(pace.longestMs).toBe(4 * SUBMIT_MS);
});

it("learns nothing from short submits, whose time is that of their beginning", () => {
  const pace = new Pace();
  for (let i = 0; i < 100; i += 1) pace.observe(FIRST_WORK / 10, 1);
  expect(pace.workOfSubmit).toBe(FIRST_WORK);
});
