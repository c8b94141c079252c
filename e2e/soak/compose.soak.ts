/**
 * A plan of two hundred steps on twelve tabs: four are killed, two stopped with all their processes, and whoever started it is
 * killed in the middle. A holder brings it to its end; nothing is paid twice, and its receipts prove it.
 */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Measurement } from "../../bench/bench.ts";
import { checkBooks } from "../../src/relay/books/check-books.ts";
import { openSqliteStore } from "../../src/relay/store/sqlite-store.ts";
import { connect } from "../../src/sdk/index.ts";
import { type ComposedRun, runComposed } from "../support/composed-run.ts";
import { type MortalTab, openMortalTab } from "../support/mortal-tab.ts";
import { freePort, startRelayProcess } from "../support/relay-process.ts";
import { contribute, launchChromium } from "../support/tab.ts";
import type { Soak, SoakContext } from "./soak.ts";

const FOLDER = join(import.meta.dirname, "..", "..", "bench", "soak-state", "compose");
const TABS = 12;
const KILLED = 4;
const STUNNED = 2;
const WIDTH = 20;
const DEPTH = 10;

type Closing = (() => Promise<unknown>)[];

async function play(context: SoakContext, closing: Closing): Promise<readonly Measurement[]> {
  const log = (text: string): void => context.log(text);
  const dataDir = join(FOLDER, "relay");
  const relay = await startRelayProcess({ dataDir, port: await freePort() });
  closing.push(() => relay.kill());
  const shared = await launchChromium();
  closing.push(() => shared.close());
  for (let i = 0; i < TABS - KILLED - STUNNED; i += 1) {
    const page = await (await shared.newContext()).newPage();
    await page.goto(relay.url);
    await contribute(page);
  }
  const mortal: MortalTab[] = [];
  for (let i = 0; i < KILLED + STUNNED; i += 1) {
    const tab = await openMortalTab(relay.url);
    mortal.push(tab);
    closing.push(async () => {
      tab.stun(false);
      await tab.close();
    });
  }
  const holder = await connect({ relay: relay.url, iceServers: [] });
  closing.push(() => holder.close());
  const [a, b, c, d, e, f] = mortal;
  const done = await runComposed({
    relay: relay.url,
    holder,
    folder: join(FOLDER, "run"),
    width: WIDTH,
    depth: DEPTH,
    before: [() => a?.kill(), () => b?.kill(), () => e?.stun(true)],
    after: [() => c?.kill(), () => d?.kill(), () => f?.stun(true)],
    log,
  });
  for (const problem of done.problems) log(problem);
  await holder.close();
  await relay.stop();
  const store = openSqliteStore(join(dataDir, "books.sqlite"));
  const books = checkBooks(store);
  store.close();
  for (const problem of books) log(problem);
  return measurements(done, books.length);
}

function measurements(done: ComposedRun, books: number): readonly Measurement[] {
  const { value, expected, summary, problems, paidTwice, doneAgain, elapsedMs } = done;
  const isRight = JSON.stringify(value) === JSON.stringify(expected);
  return [
    { name: "compose: another result", value: isRight ? 0 : 1, unit: "results" },
    { name: "compose: receipts that do not add up", value: problems.length, unit: "receipts" },
    { name: "compose: paid twice", value: paidTwice, unit: "steps" },
    { name: "compose: books that do not add up", value: books, unit: "balances" },
    {
      name: "compose: spent, of the budget",
      value: Number((summary.spent * 1_000n) / summary.budget) / 1_000,
      unit: "share",
      goal: { value: 1, better: "lower" },
    },
    { name: "compose: done by another as well", value: doneAgain, unit: "steps", goal: null },
    { name: "compose: attempts lost", value: summary.lost, unit: "attempts", goal: null },
    { name: "compose: two hundred steps", value: elapsedMs / 1_000, unit: "s", goal: null },
  ];
}

async function run(context: SoakContext): ReturnType<Soak["run"]> {
  await rm(FOLDER, { recursive: true, force: true });
  const closing: Closing = [];
  try {
    return await play(context, closing);
  } finally {
    for (const close of closing.toReversed()) await close().catch(() => undefined);
    await rm(FOLDER, { recursive: true, force: true });
  }
}

export const soaks: readonly Soak[] = [{ name: "compose", goal: { value: 0, better: "lower" }, run }];
