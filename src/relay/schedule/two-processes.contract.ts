import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { TriggerTerms } from "../../protocol/messages/deploy.ts";
import { clockTimes } from "../../schedule/clock-times.ts";
import { ScheduleRows } from "./schedule-rows.ts";

const PROCESS = fileURLToPath(new URL("schedule-process.contract.ts", import.meta.url));
const DEPLOYMENT = "digest";

const MANY = 1_000_000;

const SCHEMA = `
  PRAGMA journal_mode = WAL;
  CREATE TABLE attempts (deployment TEXT, trigger TEXT, event TEXT, token INTEGER, holder TEXT) STRICT;
  CREATE TABLE runs (nonce BLOB PRIMARY KEY, deployment TEXT, trigger TEXT, event TEXT) STRICT;
`;

/** In one zone with a change of clocks, one without, and by intervals: some fire at the same moment. */
export const TRIGGERS: readonly TriggerTerms[] = [
  { id: "minutely", kind: "cron", missed: "all", cron: "* * * * *", zone: "Europe/Berlin" },
  { id: "seldom", kind: "cron", missed: "all", cron: "*/5 * * * *", zone: "UTC" },
  { id: "often", kind: "interval", missed: "all", everyMs: 45_000 },
];

export interface TwoProcessesOptions {
  /** Firings to wait for, at least. */
  readonly firings: number;
  /** How much faster than the world's the processes' clocks run. */
  readonly speed: number;
  /** Real ms from one death to the next, at least; at most three times that. */
  readonly deathMs: number;
  /** Real ms that each half of a firing takes at most. */
  readonly workMs: number;
  /** Real ms after which it is enough, whether all have fired or not. */
  readonly mostMs: number;
  readonly signal?: AbortSignal;
  /** From 0 to 1. */
  readonly random: () => number;
}

export interface TwoProcessesResult {
  /** Events that were to fire, as "trigger event". */
  readonly expected: readonly string[];
  /** One for each run that was registered. */
  readonly runs: readonly string[];
  /** Events that were written down as ended. */
  readonly ended: readonly string[];
  /** One for each time that a firing was begun, with the token it was begun under. */
  readonly attempts: readonly string[];
  readonly deaths: number;
}

/** One life of a process. */
interface Life {
  readonly child: ChildProcess;
  /** Resolves when it has begun to look. */
  readonly isBorn: Promise<unknown>;
}

/** Firings that there are to be in (startMs, endMs]. */
function expectedIn(startMs: number, endMs: number): readonly string[] {
  return TRIGGERS.flatMap((terms) => {
    const times = clockTimes(terms, startMs);
    const found: string[] = [];
    for (let at = times?.next(startMs); at !== undefined && at <= endMs; at = times?.next(at))
      found.push(`${terms.id} ${at}`);
    return found;
  });
}

/** When so many have come. */
function endOf(startMs: number, count: number): number {
  let hours = 1;
  while (expectedIn(startMs, startMs + hours * 3_600_000).length < count) hours += 1;
  const times = expectedIn(startMs, startMs + hours * 3_600_000).map((name) => Number(name.split(" ")[1]));
  return times.toSorted((a, b) => a - b)[count - 1] ?? startMs;
}

/** Two processes over one file, of which one or the other is killed all the time and started anew. */
export async function twoProcesses(options: TwoProcessesOptions): Promise<TwoProcessesResult> {
  const folder = mkdtempSync(join(tmpdir(), "tabmesh-schedule-"));
  const path = join(folder, "schedule.sqlite");
  const runsPath = join(folder, "runs.sqlite");
  const startMs = Date.now();
  const endMs = endOf(startMs, options.firings);
  const rows = new ScheduleRows(path);
  const runs = new DatabaseSync(runsPath, { timeout: 10_000 });
  const children = new Map<number, Life>();
  let births = 0;
  let deaths = 0;
  const start = (place: number): void => {
    births += 1;
    const { speed, workMs } = options;
    const args = [PROCESS, path, runsPath, `process ${births}`, startMs, speed, workMs].map(String);
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
    children.set(place, { child, isBorn: once(child.stdout, "data") });
  };
  const kill = async (place: number): Promise<void> => {
    const child = children.get(place)?.child;
    if (child === undefined) return;
    child.kill("SIGKILL");
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  };
  try {
    runs.exec(SCHEMA);
    rows.setTriggers(DEPLOYMENT, TRIGGERS, startMs, (terms) => clockTimes(terms, startMs)?.next(startMs));
    start(0);
    start(1);
    const expected = expectedIn(startMs, endMs).toSorted();
    const until = (names: readonly string[]): readonly string[] =>
      names.filter((name) => Number(name.split(" ")[1]) <= endMs).toSorted();
    const ended = (): readonly string[] =>
      until(rows.ended(DEPLOYMENT, MANY).map(({ trigger, event }) => `${trigger} ${event}`));
    const isOver = (): boolean => ended().length >= expected.length || Date.now() > startMs + options.mostMs;
    for (let turn = 0; !isOver() && options.signal?.aborted !== true; turn += 1) {
      // Now and then both at once.
      const places = turn % 4 === 3 ? [0, 1] : [turn % 2];
      // However long a machine takes to start them, each has a life before its death.
      // oxlint-disable-next-line no-await-in-loop -- one death after the other
      await Promise.all(places.map(async (place) => children.get(place)?.isBorn));
      // oxlint-disable-next-line no-await-in-loop -- as above
      await wait(options.deathMs * (1 + 2 * options.random()));
      // oxlint-disable-next-line no-await-in-loop -- as above
      await Promise.all(places.map(kill));
      deaths += places.length;
      for (const place of places) start(place);
    }
    await Promise.all([...children.keys()].map(kill));
    const names = (table: string, column: string): readonly string[] =>
      until(
        runs
          .prepare(`SELECT concat_ws(' ', trigger, event, ${column}) AS name FROM ${table}`)
          .all()
          .map(({ name }) => String(name)),
      );
    return {
      expected,
      runs: names("runs", "NULL"),
      ended: ended(),
      attempts: names("attempts", "token"),
      deaths,
    };
  } finally {
    await Promise.all([...children.keys()].map(kill));
    rows.close();
    runs.close();
    rmSync(folder, { recursive: true, force: true });
  }
}
