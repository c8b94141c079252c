/** Two processes over one file of firings, of which one or the other is killed all the time: ten thousand firings, each of which starts one run. */
import { twoProcesses } from "../../src/relay/schedule/two-processes.contract.ts";
import type { Soak, SoakContext } from "./soak.ts";

const FIRINGS = 10_000;
/** A minute of the processes' clock in 75 ms of the world's: some thirty firings a second. */
const SPEED = 800;
const DEATH_MS = 700;
const WORK_MS = 40;
const MOST_MS = 30 * 60_000;

function missing(wanted: readonly string[], found: readonly string[]): number {
  const there = new Set(found);
  return wanted.filter((name) => !there.has(name)).length;
}

async function run(context: SoakContext): ReturnType<Soak["run"]> {
  const result = await twoProcesses({
    firings: FIRINGS,
    speed: SPEED,
    deathMs: DEATH_MS,
    workMs: WORK_MS,
    mostMs: MOST_MS,
    signal: context.signal,
    random: Math.random,
  });
  context.signal.throwIfAborted();
  const { expected, runs, ended, attempts, deaths } = result;
  const takenOver = attempts.length - expected.length;
  context.log(`${deaths} deaths, ${attempts.length} starts of ${expected.length} firings`);
  return [
    {
      name: "schedule: firings",
      value: expected.length,
      unit: "firings",
      goal: { value: FIRINGS, better: "higher" },
    },
    { name: "schedule: deaths", value: deaths, unit: "SIGKILLs", goal: { value: 100, better: "higher" } },
    {
      name: "schedule: taken over from the dead",
      value: takenOver,
      unit: "firings",
      goal: { value: 50, better: "higher" },
    },
    { name: "schedule: lost", value: missing(expected, runs) + missing(expected, ended), unit: "firings" },
    {
      name: "schedule: double",
      value: runs.length - new Set(runs).size + attempts.length - new Set(attempts).size,
      unit: "firings",
    },
    { name: "schedule: without an event", value: missing(runs, expected), unit: "runs" },
  ];
}

export const soaks: readonly Soak[] = [{ name: "schedule", goal: { value: 0, better: "lower" }, run }];
