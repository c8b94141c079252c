/** Thirty jobs, each with one of its two tabs killed or closed at a random moment. */
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { createRelayClient, type RelayClient } from "../../src/mesh/relay-client.ts";
import { type PeerId, parsePeerId } from "../../src/protocol/peer-id.ts";
import { checkBooks } from "../../src/relay/books/check-books.ts";
import { openSqliteStore } from "../../src/relay/store/sqlite-store.ts";
import { connect, type JobSummary, type MapResult, type Tabmesh } from "../../src/sdk/index.ts";
import { slowEcho } from "../support/functions.ts";
import { type MortalTab, openMortalTab } from "../support/mortal-tab.ts";
import { ownedBy } from "../support/money.ts";
import { freePort, type RelayProcess, startRelayProcess } from "../support/relay-process.ts";
import { type Draw, draw } from "./chance.ts";
import type { Soak, SoakContext } from "./soak.ts";

const ROUNDS = 30;
const TASKS = 80;
/** What a new requester has on a relay of this machine, micro-credits. */
const GRANT = 10_000_000n;
/** Accounts follow the last report of each side within this time. */
const SETTLE_MS = 30_000;

const FOLDER = join(import.meta.dirname, "..", "..", "bench", "soak-state", "tab-kills");
const LIMITS = {
  parallel: 2,
  fuel: 200_000_000n,
  memoryBytes: 1024 * 1024,
  outputBytes: 1024,
  cap: 50_000n,
} as const;

interface State {
  readonly rounds: number;
  readonly port: number;
  /** Seed of the requester, hex. */
  readonly seed: string;
  /** Micro-credits under receipts, by provider. */
  readonly earned: Readonly<Record<string, string>>;
  /** Micro-credits that leases cost beyond their receipts. */
  readonly fees: string;
  readonly reassigned: number;
  /** Results that were missing, doubled or wrong. */
  readonly lost: number;
  /** Tasks paid, other than the tasks of the jobs. */
  readonly mispaid: number;
  /** Micro-credits by which an account differed from what its receipts say. */
  readonly astray: string;
}

/** Everything that is open for one run of the soak. */
interface Stage {
  readonly relay: RelayProcess;
  readonly views: RelayClient;
  readonly client: Tabmesh;
  readonly tabs: MortalTab[];
}

function magnitude(value: bigint): bigint {
  return value < 0n ? -value : value;
}

function inputOf(index: number): Uint8Array {
  return new TextEncoder().encode(`input ${index}`);
}

/** How many of the results are not there exactly once, or not what they should be. */
function countLost(results: readonly MapResult[]): number {
  const good = new Set<number>();
  let doubled = 0;
  for (const result of results) {
    if (result.kind !== "done" || Buffer.compare(result.output, inputOf(result.index)) !== 0) continue;
    if (good.has(result.index)) doubled += 1;
    good.add(result.index);
  }
  return TASKS - good.size + doubled;
}

interface Round {
  readonly results: readonly MapResult[];
  readonly summary: JobSummary;
}

/** One job. The victim is killed or closed once a number of results are there, at once when that is none. */
async function jobWithDeath({ client, tabs }: Stage, by: Draw): Promise<Round & { victim: number }> {
  const [victim, atResult, isKilled, delayMs] = [by(2), by(TASKS), by(3) > 0, by(50)];
  const die = async (): Promise<void> => {
    await pause(delayMs);
    await (isKilled ? tabs[victim]?.kill() : tabs[victim]?.close());
  };
  const inputs = Array.from({ length: TASKS }, (_, index) => inputOf(index));
  const handle = await client.map(slowEcho(3_000_000), inputs, LIMITS);
  const results: MapResult[] = [];
  let death = atResult === 0 ? die() : undefined;
  for await (const result of handle) {
    results.push(result);
    if (results.length === atResult) death = die();
  }
  await death;
  return { results, summary: await handle.summary, victim };
}

/** By how much the accounts differ from the receipts, once they had time to follow. */
async function astrayBy(
  { views, client }: Stage,
  earned: ReadonlyMap<string, bigint>,
  fees: bigint,
): Promise<bigint> {
  const spent = [...earned.values()].reduce((sum, each) => sum + each, fees);
  for (const until = Date.now() + SETTLE_MS; ; await pause(250)) {
    const own = await views.account(client.requester);
    let difference = magnitude(own.available + own.escrowed - (GRANT - spent));
    for (const [provider, amount] of earned) {
      const account = await views.account(parsePeerId(provider));
      difference += magnitude(ownedBy(account) - amount);
    }
    if (difference === 0n || Date.now() > until) return difference;
  }
}

async function openStage(state: State): Promise<Stage> {
  const relay = await startRelayProcess({ dataDir: join(FOLDER, "relay"), port: state.port });
  const seed = new Uint8Array(Buffer.from(state.seed, "hex"));
  return {
    relay,
    views: createRelayClient({ baseUrl: relay.url, fetch }),
    client: await connect({ relay: relay.url, seed, iceServers: [] }),
    tabs: [await openMortalTab(relay.url), await openMortalTab(relay.url)],
  };
}

async function closeStage({ relay, client, tabs }: Stage): Promise<void> {
  await client.close();
  for (const tab of tabs) await tab.close();
  await relay.stop();
}

function addEarned(earned: Map<PeerId, bigint>, { leases }: JobSummary): void {
  for (const { provider, amount } of leases)
    if (amount > 0n) earned.set(provider, (earned.get(provider) ?? 0n) + amount);
}

async function playRound(stage: Stage, state: State): Promise<State> {
  const { results, summary, victim } = await jobWithDeath(stage, draw("tab-kills", state.rounds));
  stage.tabs[victim] = await openMortalTab(stage.relay.url);
  const earned = new Map(
    Object.entries(state.earned).map(([provider, amount]) => [parsePeerId(provider), BigInt(amount)]),
  );
  addEarned(earned, summary);
  const paid = summary.leases.reduce((sum, { tasks }) => sum + tasks, 0);
  // Each lease costs a fee that nobody gets.
  const fees = BigInt(state.fees) + BigInt((await stage.views.job(summary.job)).leases.length);
  const astray = await astrayBy(stage, earned, fees);
  return {
    ...state,
    rounds: state.rounds + 1,
    fees: fees.toString(),
    earned: Object.fromEntries([...earned].map(([provider, amount]) => [provider, amount.toString()])),
    reassigned: state.reassigned + summary.reassigned,
    lost: state.lost + countLost(results),
    // Copies at the end of a job that both were done are paid: rule 16.
    mispaid: state.mispaid + Math.max(0, TASKS - paid, paid - TASKS - summary.copied),
    astray: (BigInt(state.astray) + astray).toString(),
  };
}

/** What the log, read again from its entries, says against the accounts. */
function problemsInBooks(): readonly string[] {
  const store = openSqliteStore(join(FOLDER, "relay", "books.sqlite"));
  try {
    return checkBooks(store);
  } finally {
    store.close();
  }
}

async function freshState(): Promise<State> {
  await rm(FOLDER, { recursive: true, force: true });
  await mkdir(FOLDER, { recursive: true });
  const seed = Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("hex");
  const none = { rounds: 0, reassigned: 0, lost: 0, mispaid: 0, astray: "0", fees: "0", earned: {} };
  return { ...none, port: await freePort(), seed };
}

async function run(context: SoakContext): ReturnType<Soak["run"]> {
  const { signal } = context;
  let state = (context.state as State | undefined) ?? (await freshState());
  await context.save(state);
  const stage = await openStage(state);
  try {
    while (state.rounds < ROUNDS && !signal.aborted) {
      state = await playRound(stage, state);
      await context.save(state);
      const { rounds, reassigned, lost, mispaid, astray } = state;
      context.log(`round ${rounds}: ${reassigned} moved, ${lost} lost, ${mispaid} mispaid, ${astray} astray`);
    }
  } finally {
    await closeStage(stage);
  }
  signal.throwIfAborted();
  const problems = problemsInBooks();
  for (const problem of problems) context.log(problem);
  await rm(FOLDER, { recursive: true, force: true });
  return [
    {
      name: "tab-kills: rounds",
      value: state.rounds,
      unit: `jobs of ${TASKS} tasks`,
      goal: { value: ROUNDS, better: "higher" },
    },
    { name: "tab-kills: given to the other tab", value: state.reassigned, unit: "tasks", goal: null },
    { name: "tab-kills: lost or wrong", value: state.lost, unit: "results" },
    { name: "tab-kills: not paid once", value: state.mispaid, unit: "tasks" },
    { name: "tab-kills: astray", value: Number(state.astray), unit: "micro-credits" },
    { name: "tab-kills: does not add up", value: problems.length, unit: "balances" },
  ];
}

export const soaks: readonly Soak[] = [{ name: "tab-kills", goal: { value: 0, better: "lower" }, run }];
