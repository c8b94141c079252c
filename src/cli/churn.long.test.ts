import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import wabtInit from "wabt";
import { failureCode } from "../protocol/failure-code.ts";
import { relayConfig } from "../relay/config.ts";
import { type Relay, startRelay } from "../relay/start-relay.ts";
import { connect, type JobSummary, type MapResult, type Tabmesh } from "../sdk/index.ts";
import {
  type ProviderProcess,
  type ProviderProcessOptions,
  startProviderProcess,
} from "./provider-process.contract.ts";

const wabt = await wabtInit();

/** Returns its input. */
const ECHO = new Uint8Array(
  wabt
    .parseWat(
      "echo.wat",
      `(module (memory (export "memory") 4 8)
        (func (export "tabmesh_alloc") (param i32) (result i32) (i32.const 1024))
        (func (export "tabmesh_run") (param i32 i32) (result i64)
          (i64.or (i64.shl (i64.extend_i32_u (local.get 0)) (i64.const 32)) (i64.extend_i32_u (local.get 1)))))`,
    )
    .toBinary({}).buffer,
);
/** Enough for what a window of a lost provider keeps reserved until its lease is over. */
const LIMITS = {
  fuel: 1_000_000n,
  memoryBytes: 1 << 20,
  outputBytes: 1_024,
  parallel: 2,
  cap: 500_000n,
} as const;

let relay: Relay;
let tabmesh: Tabmesh;
const providers: ProviderProcess[] = [];

beforeAll(async () => {
  relay = await startRelay(
    relayConfig({ port: 0, dataDir: ":memory:", iceServers: [], logLevel: "silent", auditThreads: 1 }),
  );
  tabmesh = await connect({ relay: relay.url });
}, 60_000);

async function offers(): Promise<number> {
  const metrics = await (await fetch(`${relay.url}/metrics`)).text();
  return Number(/^tabmesh_offers (\d+)/mu.exec(metrics)?.[1]);
}

afterEach(async () => {
  await Promise.all(providers.splice(0).map((each) => each.kill()));
  await expect.poll(offers, { timeout: 10_000 }).toBe(0);
});

afterAll(async () => {
  await tabmesh.close();
  await relay.stop();
});

async function join(options: Partial<ProviderProcessOptions> = {}): Promise<ProviderProcess> {
  const provider = await startProviderProcess(relay.url, { module: ECHO, ...options });
  providers.push(provider);
  return provider;
}

/** Runs a job over so many inputs. @param onResult told each as it comes */
async function run(
  count: number,
  onResult: (result: MapResult) => void = () => undefined,
): Promise<JobSummary> {
  const inputs = Array.from({ length: count }, (_, index) => Uint8Array.of(index % 256));
  const handle = await tabmesh.map(ECHO, inputs, LIMITS);
  const results: MapResult[] = [];
  for await (const result of handle) {
    results.push(result);
    onResult(result);
  }
  const outputs = results.toSorted((a, b) => a.index - b.index);
  expect(outputs.map((result) => (result.kind === "done" ? result.output[0] : result.detail))).toEqual(
    inputs.map(([byte]) => byte),
  );
  return handle.summary;
}

function codesOf({ leases }: JobSummary): readonly (number | undefined)[] {
  return leases.map(({ failure }) => failure?.code);
}

test.each(["kill", "freeze"] as const)(
  "a provider that falls silent in the middle of a job loses its tasks to another (%s), and nothing is paid twice but copies",
  async (how) => {
    const [victim] = [await join({ pauseMs: 40 }), await join({ pauseMs: 40 })];
    let done = 0;
    const summary = await run(120, ({ provider }) => {
      if (provider !== victim.peer) return;
      done += 1;
      if (done === 10) void victim[how]();
    });
    expect(summary).toMatchObject({ done: 120, failed: 0 });
    expect(summary.reassigned + summary.copied).toBeGreaterThan(0);
    const codes = codesOf(summary);
    const lost = ["heartbeat-lost", "disconnected"] as const;
    expect(lost.map(failureCode).some((code) => codes.includes(code))).toBe(true);
    const paid = summary.leases.reduce((sum, { tasks }) => sum + tasks, 0);
    // A copy that had ended before it could be stopped is paid as well: rule 16.
    expect(paid).toBeGreaterThanOrEqual(120);
    expect(paid).toBeLessThanOrEqual(120 + summary.copied);
    victim.thaw();
  },
);

test("the last tasks of a job are done by whoever is quicker, and nothing is told twice", async () => {
  await join({ pauseMs: 10 });
  await join({ pauseMs: 2_500 });
  // The slow one has four of the last six, 3 %.
  const summary = await run(200);
  expect(summary).toMatchObject({ done: 200, failed: 0, reassigned: 0 });
  expect(summary.copied).toBeGreaterThan(0);
  // What the slow one had ended by then is paid as well: rule 16.
  const paid = summary.leases.reduce((sum, { tasks }) => sum + tasks, 0);
  expect(paid).toBeGreaterThanOrEqual(200);
  expect(paid).toBeLessThanOrEqual(200 + summary.copied);
  expect(codesOf(summary)).toEqual([undefined, undefined]);
});
