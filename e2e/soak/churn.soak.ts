/**
 * Twenty tabs at work on one picture: five are killed, five frozen, three cut off the network for twenty seconds. Then the
 * relay is away for a minute in the middle of a job.
 */
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { Browser } from "@playwright/test";
import type { Measurement } from "../../bench/bench.ts";
import { createRelayClient } from "../../src/mesh/relay-client.ts";
import { checkBooks } from "../../src/relay/books/check-books.ts";
import { openSqliteStore } from "../../src/relay/store/sqlite-store.ts";
import { connect, type JobSummary, type Tabmesh } from "../../src/sdk/index.ts";
import { slowEcho } from "../support/functions.ts";
import { type FreezableTab, openFreezableTab } from "../support/freezable-tab.ts";
import { type MortalTab, openMortalTab } from "../support/mortal-tab.ts";
import { lostTiles, type PictureRun, renderPicture } from "../support/picture.ts";
import { freePort, type RelayProcess, startRelayProcess } from "../support/relay-process.ts";
import { contribute, launchChromium } from "../support/tab.ts";
import { canCutNetworks, type CutNetwork, openCutNetwork } from "./cut-network.ts";
import type { Soak, SoakContext } from "./soak.ts";

const FOLDER = join(import.meta.dirname, "..", "..", "bench", "soak-state", "churn");
const KILLED = 5;
/** Frozen by the debugging protocol, which lets them say so; and stopped with all their processes, which does not. */
const FROZEN = 3;
const STUNNED = 2;
const CUT = 3;
const CUT_MS = 20_000;
const TABS = 20;
const AWAY_MS = 60_000;
/** Between two misfortunes. */
const SPACING_MS = 2_000;
/** The first one comes when that share of the picture is there. */
const FIRST_SHARE = 0.1;

const PICTURE = { width: 960, height: 540, quality: "standard" } as const;
const JOB = { parallel: TABS, cap: 4_000_000n, outputBytes: 8_192, fuel: 8_000_000_000n } as const;

/** What is open; closed in reverse. */
type Closing = (() => Promise<unknown>)[];

interface Stage {
  readonly relay: RelayProcess;
  readonly client: Tabmesh;
  readonly killed: readonly MortalTab[];
  readonly frozen: readonly FreezableTab[];
  readonly stunned: readonly MortalTab[];
  readonly cut: readonly CutNetwork[];
}

async function openShared(browser: Browser, url: string, count: number): Promise<void> {
  for (let i = 0; i < count; i += 1) {
    const page = await (await browser.newContext()).newPage();
    await page.goto(url);
    await contribute(page);
  }
}

async function repeat<T>(count: number, make: (place: number) => Promise<T>): Promise<readonly T[]> {
  const made: T[] = [];
  for (let place = 0; place < count; place += 1) made.push(await make(place));
  return made;
}

/** Tabs that are there in both runs: those that nothing happens to, and those that are cut off for a while. */
async function openStaying(
  relay: RelayProcess,
  closing: Closing,
  log: (text: string) => void,
): Promise<readonly CutNetwork[]> {
  const canCut = canCutNetworks();
  if (!canCut) log("skipped: networks are cut by root alone, with iproute2");
  const browser = process.env["CHROMIUM_PATH"] ?? "chromium";
  const cut = await repeat(canCut ? CUT : 0, async (place) => {
    const network = await openCutNetwork(place + 1, relay.port, browser, FOLDER);
    closing.push(() => network.close());
    const { executablePath } = network;
    const tab = await openMortalTab(relay.url, { executablePath });
    closing.push(() => tab.close());
    return network;
  });
  const shared = await launchChromium();
  closing.push(() => shared.close());
  await openShared(shared, relay.url, TABS - KILLED - FROZEN - STUNNED - cut.length);
  return cut;
}

async function render(client: Tabmesh, log: (text: string) => void): Promise<PictureRun> {
  let said = 0;
  return renderPicture(client, {
    ...PICTURE,
    job: JOB,
    onTile(count, total) {
      if (count * 10 < said * total) return;
      log(`${count} of ${total} tiles`);
      said += 1;
    },
  });
}

/** The same with misfortunes. */
async function renderAmidst(stage: Stage, log: (text: string) => void): Promise<PictureRun> {
  const { client, killed, frozen, stunned, cut } = stage;
  const acts: { readonly what: string; readonly act: () => Promise<void> | void }[] = [
    ...cut.map((network) => ({
      what: "cut",
      act: () => {
        network.setUp(false);
        void pause(CUT_MS).then(() => network.setUp(true));
      },
    })),
    ...killed.map((tab) => ({ what: "killed", act: () => tab.kill() })),
    ...frozen.map((tab) => ({ what: "frozen", act: () => tab.freeze(true) })),
    ...stunned.map((tab) => ({ what: "stunned", act: () => tab.stun(true) })),
  ];
  const happen = async (): Promise<void> => {
    for (const { what, act } of acts) {
      log(what);
      await act();
      await pause(SPACING_MS);
    }
  };
  let begun: Promise<void> | undefined;
  let said = 0;
  const told = await renderPicture(client, {
    ...PICTURE,
    job: JOB,
    onTile(count, total) {
      if (count >= total * FIRST_SHARE) begun ??= happen();
      if (count * 10 < said * total) return;
      log(`${count} of ${total} tiles`);
      said += 1;
    },
    onProgress({ note, reassigned }) {
      if (note !== undefined) log(`${note}; ${reassigned} tiles given to another so far`);
    },
  });
  await begun;
  return told;
}

function paidOf({ leases }: JobSummary): number {
  return leases.reduce((sum, { tasks }) => sum + tasks, 0);
}

/** Tiles that were paid although their results came from elsewhere, beyond the copies that rule 16 pays. */
function paidTwice({ summary, results }: PictureRun): number {
  return Math.max(0, paidOf(summary) - results.length - summary.copied);
}

/** The relay is away for a minute. @returns results that came meanwhile, and receipts that never reached it */
async function relayAway(
  stage: Stage,
  log: (text: string) => void,
): Promise<{ readonly meanwhile: number; readonly missing: number }> {
  const { relay, client } = stage;
  const inputs = Array.from({ length: 200 }, (_, index) => Uint8Array.of(index % 256));
  const options = { parallel: 4, cap: 2_000_000n, outputBytes: 1_024, fuel: 8_000_000_000n };
  const handle = await client.map(slowEcho(400_000_000), inputs, options);
  let count = 0;
  let meanwhile = 0;
  let isAway = false;
  let away: Promise<RelayProcess> | undefined;
  const leave = async (): Promise<RelayProcess> => {
    await relay.kill();
    isAway = true;
    log("the relay is away");
    await pause(AWAY_MS);
    isAway = false;
    log("the relay is back");
    return startRelayProcess({ dataDir: relay.dataDir, port: relay.port });
  };
  for await (const result of handle) {
    if (result.kind === "failed") throw new Error(result.detail);
    count += 1;
    if (isAway) meanwhile += 1;
    if (count === 10) away = leave();
  }
  const summary = await handle.summary;
  const back = await away;
  if (back === undefined) throw new Error("the job was over before the relay left");
  log(`${meanwhile} of ${count} results came without the relay`);
  const views = createRelayClient({ baseUrl: relay.url, fetch });
  const paid = paidOf(summary);
  let logged = 0;
  for (let tries = 0; tries < 60 && logged < paid; tries += 1) {
    const { leases } = await views.job(summary.job);
    logged = leases.reduce((sum, lease) => sum + lease.count, 0);
    await pause(1_000);
  }
  await back.stop();
  return { meanwhile, missing: Math.max(0, paid - logged) };
}

function problemsInBooks(): readonly string[] {
  const store = openSqliteStore(join(FOLDER, "relay", "books.sqlite"));
  try {
    return checkBooks(store);
  } finally {
    store.close();
  }
}

async function play(context: SoakContext, closing: Closing): Promise<readonly Measurement[]> {
  const { signal } = context;
  const log = (text: string): void => context.log(text);
  const relay = await startRelayProcess({ dataDir: join(FOLDER, "relay"), port: await freePort() });
  closing.push(() => relay.kill());
  const cut = await openStaying(relay, closing, log);
  const client = await connect({ relay: relay.url, iceServers: [] });
  closing.push(() => client.close());
  log("undisturbed, on the tabs that stay");
  const calm = await render(client, log);
  log(`undisturbed: ${(calm.elapsedMs / 1000).toFixed(1)} s, ${calm.summary.leases.length} leases`);
  signal.throwIfAborted();
  const mortal = await repeat(KILLED + STUNNED, async () => {
    const tab = await openMortalTab(relay.url);
    closing.push(async () => {
      tab.stun(false);
      await tab.close();
    });
    return tab;
  });
  const frozen = await repeat(FROZEN, async () => {
    const tab = await openFreezableTab(relay.url);
    closing.push(() => tab.close());
    return tab;
  });
  const stage = {
    relay,
    client,
    cut,
    frozen,
    killed: mortal.slice(0, KILLED),
    stunned: mortal.slice(KILLED),
  };
  log("twenty tabs, thirteen misfortunes");
  const rough = await renderAmidst(stage, log);
  const ratio = rough.elapsedMs / calm.elapsedMs;
  log(`amidst them: ${(rough.elapsedMs / 1000).toFixed(1)} s, ${ratio.toFixed(2)} times`);
  signal.throwIfAborted();
  const { meanwhile, missing } = await relayAway(stage, log);
  const problems = problemsInBooks();
  for (const problem of problems) log(problem);
  return measurements({ calm, rough, ratio, cut: cut.length, meanwhile, missing, problems: problems.length });
}

function measurements(found: {
  readonly calm: PictureRun;
  readonly rough: PictureRun;
  readonly ratio: number;
  readonly cut: number;
  readonly meanwhile: number;
  readonly missing: number;
  readonly problems: number;
}): readonly Measurement[] {
  const { calm, rough, ratio, cut, meanwhile, missing, problems } = found;
  const { reassigned, copied } = rough.summary;
  return [
    {
      name: "churn: undisturbed, ten tabs",
      value: calm.elapsedMs / 1000,
      unit: "s",
      goal: { value: 60, better: "higher" },
    },
    {
      name: "churn: with misfortunes, to undisturbed",
      value: ratio,
      unit: "times",
      goal: { value: 1.6, better: "lower" },
    },
    { name: "churn: networks cut", value: cut, unit: "tabs", goal: null },
    { name: "churn: another picture", value: rough.hash === calm.hash ? 0 : 1, unit: "pictures" },
    { name: "churn: lost", value: lostTiles(rough, calm.results.length), unit: "tiles" },
    { name: "churn: paid twice", value: paidTwice(rough), unit: "tiles" },
    { name: "churn: given to another", value: reassigned, unit: "tiles", goal: null },
    { name: "churn: at two providers in the end", value: copied, unit: "tiles", goal: null },
    {
      name: "churn: results without the relay",
      value: meanwhile,
      unit: "in 60 s",
      goal: { value: 1, better: "higher" },
    },
    { name: "churn: receipts that never arrived", value: missing, unit: "tasks" },
    { name: "churn: does not add up", value: problems, unit: "balances" },
  ];
}

async function run(context: SoakContext): ReturnType<Soak["run"]> {
  await rm(FOLDER, { recursive: true, force: true });
  await mkdir(FOLDER, { recursive: true });
  const closing: Closing = [];
  try {
    return await play(context, closing);
  } finally {
    for (const close of closing.toReversed()) await close().catch(() => undefined);
    await rm(FOLDER, { recursive: true, force: true });
  }
}

export const soaks: readonly Soak[] = [{ name: "churn", goal: { value: 0, better: "lower" }, run }];
