import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, expect, test } from "vitest";
import { cidOf, RAW } from "../protocol/cid.ts";
import { relayConfig } from "../relay/config.ts";
import { type Relay, startRelay } from "../relay/start-relay.ts";
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
