/**
 * `npm run bench:honesty`: does lying pay? Simulates markets in which one provider in twenty follows a strategy, by the real
 * rules of src/market and src/ledger; prints what it lost and gained, and which goals are met.
 */
import { writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { judge, tableText } from "../bench.ts";
import { describeMachine } from "../machine.ts";
import { measurementsOf, type QuorumRow, quorumMeasurements } from "./goals.ts";
import { type Options, readOptions, type Size, USAGE } from "./options.ts";
import type { Outcome } from "./outcome.ts";
import { simulateQuorums } from "./quorum.ts";
import { HONEST } from "./strategy.ts";
import type { Errand } from "./thread.ts";

const RESULTS = join(import.meta.dirname, "..", "honesty-results.json");
const FIRST_SIZE: Size = { providers: 1_000, tasks: 1_000 };
const SECOND_SIZE: Size = { providers: 10_000, tasks: 100 };
/** Those that the second table is about: the first has them all. */
const SECOND: ReadonlySet<string> = new Set([
  "cheat-5",
  "cheat-20",
  "always-cheat",
  "collude-auditors",
  "withhold-openings",
  "washing",
]);
const QUORUM_TASKS = 1_000_000;
const COLLUDING = [0.01, 0.05, 0.1, 0.2, 1 / 3];
const HONEST_SHARE = 0.05;
/** Audits passed after some hundred tasks. */
const PASSED = 30;

/** Runs errands on all cores, one strategy on each. */
async function runAll(errands: readonly Errand[]): Promise<Outcome[]> {
  const waiting = [...errands];
  const outcomes: Outcome[] = [];
  const serve = async (): Promise<void> => {
    const thread = new Worker(new URL("thread.ts", import.meta.url));
    const failed = new Promise<never>((_, reject) => thread.once("error", reject));
    for (let errand = waiting.shift(); errand !== undefined; errand = waiting.shift()) {
      const answer = new Promise<Outcome>((resolve) => thread.once("message", resolve));
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
      thread.postMessage(errand);
      const outcome = await Promise.race([answer, failed]);
      console.error(
        `${errand.strategy}, ${errand.providers} × ${errand.tasks}: ${outcome.seconds.toFixed(0)} s`,
      );
      outcomes.push(outcome);
    }
    await thread.terminate();
  };
  await Promise.all(Array.from({ length: Math.min(availableParallelism(), errands.length) }, serve));
  return errands.map(({ strategy, providers }) =>
    outcomes.find((each) => each.strategy === strategy && each.providers === providers)!,
  );
}

function errandOf(strategy: string, { providers, tasks }: Size, { policy, seed }: Options): Errand {
  return { strategy, policy, seed, providers, tasks };
}

function quorums({ policy, seed }: Options): QuorumRow[] {
  const cases = [
    { liars: HONEST_SHARE, collude: false },
    ...COLLUDING.map((liars) => ({ liars, collude: true })),
  ];
  return cases.map(({ liars, collude }) => ({
    liars: Number(liars.toFixed(3)),
    collude,
    passed: PASSED,
    tasks: QUORUM_TASKS,
    result: simulateQuorums({ policy, seed, tasks: QUORUM_TASKS, liars, collude, passed: PASSED }),
  }));
}

async function main(options: Options): Promise<void> {
  const start = performance.now();
  const sizes = options.size === undefined ? [FIRST_SIZE, SECOND_SIZE] : [options.size];
  const namesOf = (size: Size): string[] => [
    HONEST.name,
    ...options.strategies.map(({ name }) => name).filter((name) => size !== SECOND_SIZE || SECOND.has(name)),
  ];
  const { policy, seed } = options;
  const all = await runAll(
    sizes.flatMap((size) => namesOf(size).map((strategy) => errandOf(strategy, size, options))),
  );
  const tables = sizes.map(({ providers }) => {
    const own = all.filter((outcome) => outcome.providers === providers);
    return { honest: own.find(({ strategy }) => strategy === HONEST.name), outcomes: own };
  });
  const measured = [
    ...tables.flatMap(({ honest, outcomes }) =>
      measurementsOf(
        honest,
        outcomes.filter((outcome) => outcome !== honest),
      ),
    ),
    ...quorumMeasurements(quorums(options)),
  ];
  const rows = measured.map((each) => judge(each, undefined));
  const judged = rows.filter(({ met }) => met !== null);
  const missed = judged.filter(({ met }) => met === false);
  const seconds = (performance.now() - start) / 1000;
  console.log(tableText(rows));
  console.log(
    `\n${judged.length - missed.length} of ${judged.length} goals met, seed ${seed}, ${seconds.toFixed(0)} s` +
      missed.map(({ name }) => `\nMISSED: ${name}`).join(""),
  );
  if (options.isUsual) {
    const results = {
      date: new Date().toISOString(),
      machine: await describeMachine(),
      seed,
      seconds,
      policy,
      rows,
    };
    await writeFile(RESULTS, `${JSON.stringify(results, plain, 2)}\n`);
  }
  if (options.json) console.log(jsonLine(tables[0]?.outcomes ?? [], options));
}

/** Amounts are whole numbers below 2^53 here. */
function plain(_: string, value: unknown): unknown {
  return typeof value === "bigint" ? Number(value) : value;
}

/** The first table in one line. */
function jsonLine(outcomes: readonly Outcome[], { seed }: Options): string {
  const honest = outcomes.find(({ strategy }) => strategy === HONEST.name);
  const others = outcomes.filter((outcome) => outcome !== honest);
  return JSON.stringify({
    strategies: Object.fromEntries(
      others.map(({ strategy, net, badAccepted }) => [strategy, { net, badAccepted }]),
    ),
    honestOverhead: honest?.overheadAfter500 ?? honest?.overheadAt["100"] ?? null,
    honestBarred: outcomes.reduce((sum, { honestBarred }) => sum + honestBarred, 0),
    badAccepted: Math.max(...outcomes.map(({ badAccepted }) => badAccepted)),
    seed: Number.isFinite(Number(seed)) ? Number(seed) : seed,
  });
}

try {
  const options = readOptions(process.argv.slice(2));
  if (options === "help") console.log(USAGE);
  else await main(options);
} catch (error) {
  if (!(error instanceof RangeError)) throw error;
  console.error(`${error.message}\n\n${USAGE}`);
  process.exitCode = 2;
}
