import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, expect, test } from "vitest";
import { parsePlan } from "../plan/plan-text.ts";
import { cidOf, RAW } from "../protocol/cid.ts";
import { relayConfig } from "../relay/config.ts";
import { type Relay, startRelay } from "../relay/start-relay.ts";
import { connect, type Tabmesh } from "../sdk/index.ts";
import { runTabmesh } from "./command-line.contract.ts";
import { type FunctionProvider, startFunctionProvider } from "./function-provider.contract.ts";

const MAIN = join(import.meta.dirname, "main.ts");
const NOOP = join(import.meta.dirname, "..", "..", "examples", "noop", "noop.wasm");

let folder = "";
let relay: Relay;
let provider: FunctionProvider;
const children: ChildProcess[] = [];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "tabmesh-hold-"));
  relay = await startRelay(
    relayConfig({ port: 0, dataDir: ":memory:", iceServers: [], logLevel: "silent", auditThreads: 1 }),
  );
  const module = new Uint8Array(readFileSync(NOOP));
  provider = await startFunctionProvider(relay.url, { module });
  const call = `kind: call
    callee: {kind: function, cid: ${cidOf(RAW, module)}, entry: tabmesh_run, abi: bytes-1}
    output: text`;
  writeFileSync(
    join(folder, "slow.yaml"),
    `v: 1
name: slow
params: {word: text}
nodes:
  first:
    ${call}
    input: $word
  rest: {kind: delay, ms: 4000, value: first}
  last:
    ${call}
    input: rest
result: last
`,
  );
}, 60_000);

afterEach(async () => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  await provider.vanish();
  await relay.stop();
  rmSync(folder, { recursive: true });
});

function home(name: string): Readonly<Record<string, string>> {
  return { TABMESH_HOME: join(folder, name) };
}

function start(name: string, ...args: readonly string[]): ChildProcess {
  const child = spawn(process.execPath, [MAIN, ...args, "--relay", relay.url, "--yes"], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...home(name), NODE_NO_WARNINGS: "1" },
  });
  children.push(child);
  return child;
}

/** A command that holds runs, its identity, and the lines that it prints. */
async function holder(): Promise<{
  readonly identity: string;
  readonly lines: () => readonly string[];
  stop(): Promise<number | null>;
}> {
  const shown = await runTabmesh(["identity", "show", "--json"], home("holder"));
  const { peer: identity } = JSON.parse(shown.stdout) as { readonly peer: string };
  const child = start("holder", "plan", "hold", "--json");
  let told = "";
  child.stdout?.on("data", (data: Buffer) => (told += data.toString()));
  const ready = Promise.withResolvers<void>();
  child.stderr?.on("data", (data: Buffer) => {
    if (data.toString().includes("Holding runs")) ready.resolve();
  });
  await ready.promise;
  return {
    identity,
    lines: () => told.split("\n").filter((line) => line !== ""),
    async stop() {
      const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
      child.kill("SIGINT");
      return ended;
    },
  };
}

test("Ctrl-C leaves a run to its holder, which brings it to its end; who started it fetches the result", async () => {
  const held = await holder();
  const starter = start(
    "starter",
    "plan",
    "run",
    join(folder, "slow.yaml"),
    "-p",
    "word=passed",
    "--with",
    NOOP,
    "--holder",
    held.identity,
  );
  await expect.poll(() => provider.begun, { timeout: 20_000 }).toBe(1);
  const told = text(starter.stderr!);
  const ended = new Promise((resolve) => starter.once("exit", resolve));
  starter.kill("SIGINT");
  expect(await ended).toBe(130);
  const run = /left to its holders: (\w+)/u.exec(await told)?.[1] ?? "";
  expect(run).toMatch(/^bafy/u);
  await expect.poll(() => held.lines().length, { timeout: 20_000 }).toBe(2);
  expect(held.lines().map((line) => JSON.parse(line) as unknown)).toMatchObject([
    { run, state: "taken-over" },
    { run, state: "done" },
  ]);
  const fetched = await runTabmesh(
    ["plan", "continue", run, "--relay", relay.url, "--yes", "-q"],
    home("starter"),
  );
  expect([fetched.exit, fetched.stdout.trim()]).toEqual([0, "passed"]);
  expect(await held.stop()).toBe(0);
}, 90_000);

test("a run whose starter is killed is gone on with after its silence", async () => {
  const held = await holder();
  const starter = start(
    "starter",
    "plan",
    "run",
    join(folder, "slow.yaml"),
    "-p",
    "word=found",
    "--with",
    NOOP,
    "--holder",
    held.identity,
  );
  await expect.poll(() => provider.begun, { timeout: 20_000 }).toBe(1);
  starter.kill("SIGKILL");
  await expect.poll(() => held.lines().length, { timeout: 60_000 }).toBe(2);
  expect(held.lines().map((line) => JSON.parse(line) as unknown)).toMatchObject([
    { state: "taken-over" },
    { state: "done" },
  ]);
  expect(await held.stop()).toBe(0);
}, 90_000);

test("a holder takes over those alone that it is for, no more than so many at a time, and gets to each of them", async () => {
  const [friend, stranger, held] = await Promise.all([1, 2, 3].map(() => connect({ relay: relay.url })));
  if (friend === undefined || stranger === undefined || held === undefined) throw new Error("three clients");
  const { plan } = await parsePlan(await readFile(join(folder, "slow.yaml"), "utf8"));
  const leave = async (starter: Tabmesh): Promise<string> => {
    const modules = [new Uint8Array(readFileSync(NOOP))];
    const run = await starter.startRun(
      plan,
      { word: "x" },
      { modules, budget: 100_000n, holders: [held.requester] },
    );
    await run.leave();
    return run.id;
  };
  // More than it asks for at a time, and strangers' among them.
  const mine = new Set<string>();
  const theirs = new Set<string>();
  for (let i = 0; i < 12; i += 1) {
    mine.add(await leave(friend));
    if (i % 3 === 0) theirs.add(await leave(stranger));
  }
  const stop = new AbortController();
  const ended = new Set<string>();
  const strangers: string[] = [];
  let carried = 0;
  let most = 0;
  const holding = held.holdRuns({
    for: [friend.requester],
    most: 3,
    signal: stop.signal,
    onRun(run) {
      if (theirs.has(run.id)) strangers.push(run.id);
      carried += 1;
      most = Math.max(most, carried);
      void (async () => {
        const { failure } = await run.summary;
        carried -= 1;
        if (failure === undefined) ended.add(run.id);
      })();
    },
  });
  await expect.poll(() => ended.size, { timeout: 100_000 }).toBe(mine.size);
  expect(ended).toEqual(mine);
  expect(most).toBe(3);
  expect(strangers).toEqual([]);
  stop.abort();
  await holding;
  await Promise.all([friend, stranger, held].map((each) => each.close()));
}, 150_000);

test("plan every runs a plan by the clock, says so line by line, and knows after an end how far it has come", async () => {
  const args = [
    "plan",
    "every",
    "2s",
    join(folder, "slow.yaml"),
    "--cap",
    "0.05",
    "-p",
    "word=tick",
    "--with",
    NOOP,
    "--json",
  ];
  const told: { readonly at: string; readonly state: string; readonly run: string }[] = [];
  for (const wanted of [1, 2]) {
    const child = start("starter", ...args);
    let lines = "";
    child.stdout?.on("data", (data: Buffer) => (lines += data.toString()));
    const parsed = (): typeof told =>
      lines.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line) as (typeof told)[number]]));
    // oxlint-disable-next-line no-await-in-loop -- one program after the other
    await expect.poll(() => parsed().length, { timeout: 40_000 }).toBeGreaterThanOrEqual(wanted);
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGINT");
    // oxlint-disable-next-line no-await-in-loop
    expect(await ended).toBe(0);
    told.push(...parsed());
  }
  expect(told.map(({ state }) => state)).toEqual(told.map(() => "done"));
  // Nothing twice, nothing left out, though a program ended in the middle: each run takes two times' length.
  const times = told.map(({ at }) => Date.parse(at));
  expect(times).toEqual(times.map((_, i) => (times[0] ?? 0) + 2_000 * i));
  expect(new Set(told.map(({ run }) => run)).size).toBe(told.length);
  const shown = await runTabmesh(["plan", "verify", told[0]?.run ?? "", "--json"], home("starter"));
  expect(JSON.parse(shown.stdout)).toMatchObject({ ok: true });
}, 120_000);
