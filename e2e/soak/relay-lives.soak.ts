/** A whole relay in a process of its own, killed two hundred times under load and around its commits. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Measurement } from "../../bench/bench.ts";
import { examineBooks, type LivesState, RelayLives } from "./relay-lives.ts";
import type { Soak, SoakContext } from "./soak.ts";

const KILLS = 200;
/** Longest time under load before an end begins, milliseconds. */
const MOST_MS = 600;
/** The whole log is read again after so many lives, and after the last one. */
const EXAMINED_EVERY = 20;

const FOLDER = join(import.meta.dirname, "..", "..", "bench", "soak-state", "relay-lives");

function plain(name: string, value: number, unit: string): Measurement {
  return { name: `relay-lives: ${name}`, value, unit, goal: null };
}

async function run(context: SoakContext): ReturnType<Soak["run"]> {
  const { signal } = context;
  const state = context.state as LivesState | undefined;
  if (state === undefined) await rm(FOLDER, { recursive: true, force: true });
  const problems: string[] = [];
  let reached: LivesState | undefined = state;
  while ((reached?.lives ?? 0) < KILLS && !signal.aborted && problems.length === 0) {
    const lives = await RelayLives.start({ folder: FOLDER, state: reached, mostMs: MOST_MS });
    try {
      do await lives.kill();
      while (lives.lives % EXAMINED_EVERY !== 0 && lives.lives < KILLS && !signal.aborted);
      if (lives.lives >= KILLS) await lives.checkAll();
    } finally {
      await lives.stop();
    }
    problems.push(...lives.log.problems, ...examineBooks(FOLDER));
    for (const problem of problems) context.log(problem);
    reached = lives.state();
    await context.save(reached);
    context.log(
      `${reached.lives} kills, ${lives.log.acknowledged} entries acknowledged, ${lives.log.heads} heads`,
    );
  }
  signal.throwIfAborted();
  if (reached === undefined) throw new Error("the relay has not lived");
  await rm(FOLDER, { recursive: true, force: true });
  const { lives, ends, kept, jobs } = reached;
  return [
    { name: "relay-lives: kills", value: lives, unit: "SIGKILLs", goal: { value: KILLS, better: "higher" } },
    ...Object.entries(ends).map(([name, count]) => plain(name, count, "SIGKILLs")),
    plain("jobs", jobs, "whole ones"),
    plain("acknowledged", Object.keys(kept.acknowledged).length, "receipts"),
    plain("heads", Object.keys(kept.heads).length, "signed, held against the last log"),
    { name: "relay-lives: broken promises", value: problems.length, unit: "findings" },
  ];
}

export const soaks: readonly Soak[] = [{ name: "relay-lives", goal: { value: 0, better: "lower" }, run }];
