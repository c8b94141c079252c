import { expect, test } from "vitest";
import { MAX_UNDER_WAY_OF_ONE } from "./limits.ts";
import { twoProcesses } from "./two-processes.contract.ts";

test("of two processes over one file, killed at any moment, exactly one starts each run, and none is lost", async () => {
  const { expected, runs, ended, attempts, deaths } = await twoProcesses({
    firings: 100,
    speed: 1_200,
    deathMs: 250,
    workMs: 60,
    mostMs: 60_000,
    random: Math.random,
  });
  expect(deaths).toBeGreaterThan(2);
  // Several may come at the last moment.
  expect(expected.length).toBeGreaterThanOrEqual(100);
  expect(runs).toEqual(expected);
  expect(ended).toEqual(expected);
  // No two had the same firing under the same token: one of them could not have ended it.
  expect(new Set(attempts).size).toBe(attempts.length);
  // Nobody began what another was at: only what the dead had in hand was begun again.
  expect(attempts.length - expected.length).toBeLessThanOrEqual(deaths * MAX_UNDER_WAY_OF_ONE);
}, 90_000);
