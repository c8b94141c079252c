import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import wabtInit from "wabt";
import { createRelayClient, type RelayClient } from "../mesh/relay-client.ts";
import { DEFAULT_AUDIT_POLICY, PPM } from "../protocol/audit-policy.ts";
import type { Cid } from "../protocol/cid.ts";
import { openEnvelope } from "../protocol/envelope.ts";
import { drawMessage, type VerdictResult, verdictMessage } from "../protocol/messages/audit.ts";
import { decodeEntry, decodeEntryOf } from "../protocol/messages/entry.ts";
import { RELAY_PATHS } from "../protocol/relay-api.ts";
import { checkBooks } from "../relay/books/check-books.ts";
import { relayConfig } from "../relay/config.ts";
import { type Relay, startRelay } from "../relay/start-relay.ts";
import { openSqliteStore } from "../relay/store/sqlite-store.ts";
import { connect, type JobHandle, type JobSummary, type Tabmesh } from "../sdk/index.ts";
import { type FunctionProvider, startFunctionProvider } from "./function-provider.contract.ts";

const wabt = await wabtInit();

/** Adds `step` to the first byte of its input. */
function adder(step: number): Uint8Array {
  const text = `(module (memory (export "memory") 4 8)
  (func (export "tabmesh_alloc") (param i32) (result i32) (i32.const 1024))
  (func (export "tabmesh_run") (param i32 i32) (result i64)
    (i32.store8 (i32.const 1024) (i32.add (i32.const ${step}) (i32.load8_u (i32.const 1024))))
    (i64.or (i64.shl (i64.extend_i32_u (local.get 0)) (i64.const 32)) (i64.extend_i32_u (local.get 1)))))`;
  return new Uint8Array(wabt.parseWat("add.wat", text).toBinary({}).buffer);
}

const HONEST = adder(1);
const FALSE = adder(2);
const LIMITS = { fuel: 1_000_000n, memoryBytes: 1 << 20, outputBytes: 1 << 17, deadlineMs: 5_000 } as const;
const DAY = 24 * 60 * 60 * 1_000;
const PATIENCE = { timeout: 20_000 };

/**
 * What a relay amounts to that is in league with its providers: wherever they lie, nothing falls to its own draw. It cannot
 * keep the requester's from falling, which here falls to everything.
 */
const IN_LEAGUE = {
  ...DEFAULT_AUDIT_POLICY,
  firstTasks: 0,
  floorPpm: 0,
  rateNumerator: 0,
  lossPpm: 0,
  failedPpm: 0,
  requesterPpm: PPM,
};

let dataDir: string;
let relay: Relay;
let client: RelayClient;
let tabmesh: Tabmesh;
let aheadMs = 0;
const providers: FunctionProvider[] = [];

beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), "second-draw-"));
  const config = { port: 0, dataDir, iceServers: [], logLevel: "silent", auditThreads: 1 } as const;
  relay = await startRelay(relayConfig({ ...config, auditPolicy: IN_LEAGUE }), {
    nowMs: () => Date.now() + aheadMs,
  });
  client = createRelayClient({ baseUrl: relay.url, fetch: (input, init) => fetch(input, init) });
  tabmesh = await connect({ relay: relay.url });
}, 60_000);

async function offers(): Promise<number> {
  const metrics = await (await fetch(`${relay.url}/metrics`)).text();
  return Number(/^tabmesh_offers (\d+)/mu.exec(metrics)?.[1]);
}

async function enter(module: Uint8Array): Promise<FunctionProvider> {
  const provider = await startFunctionProvider(relay.url, { module });
  providers.push(provider);
  await expect.poll(offers, PATIENCE).toBe(1);
  return provider;
}

afterEach(async () => {
  vi.unstubAllGlobals();
  await Promise.all(providers.splice(0).map((each) => each.vanish()));
  await expect.poll(offers, PATIENCE).toBe(0);
});

/** The books say what the log says, to the last micro-credit. */
afterAll(async () => {
  await tabmesh.close();
  await relay.stop();
  const store = openSqliteStore(join(dataDir, "books.sqlite"));
  expect(checkBooks(store)).toEqual([]);
  store.close();
  rmSync(dataDir, { recursive: true, force: true });
});

const INPUTS = Array.from({ length: 8 }, (_, i) => Uint8Array.of(i, 7));

interface Ended {
  readonly handle: JobHandle;
  readonly summary: JobSummary;
  readonly outputs: readonly (readonly number[])[];
}

async function compute(inputs: readonly Uint8Array[] = INPUTS, by: Tabmesh = tabmesh): Promise<Ended> {
  const handle = await by.map(HONEST, inputs, { ...LIMITS, parallel: 1 });
  const outputs: number[][] = [];
  for await (const result of handle)
    if (result.kind === "done") outputs[result.index] = [...result.output.subarray(0, 2)];
  return { handle, summary: await handle.summary, outputs };
}

/** Verdicts on a job's outcomes, by leaf, and whose draw each followed. */
function judged(leases: readonly Cid[]): {
  readonly verdicts: readonly VerdictResult[];
  readonly sources: readonly string[];
} {
  const verdicts: VerdictResult[] = [];
  const sources: string[] = [];
  for (let index = 0; index < relay.books.size(); index += 1) {
    const entry = relay.books.entry(index) ?? new Uint8Array();
    const { type } = decodeEntry(entry);
    if (type === "draw") {
      const { body } = openEnvelope(drawMessage, decodeEntryOf("draw", entry).body.envelope);
      if (leases.includes(body.lease)) sources.push(body.source);
    }
    if (type !== "verdict") continue;
    const { body } = openEnvelope(verdictMessage, decodeEntryOf("verdict", entry).body.envelope);
    if (leases.includes(body.lease)) verdicts[body.index] = body.result;
  }
  return { verdicts, sources };
}

async function untilJudged({ summary }: Ended): Promise<ReturnType<typeof judged>> {
  const leases = summary.leases.map(({ lease }) => lease);
  await expect
    .poll(async () => {
      const views = (await client.job(summary.job)).leases;
      return views.reduce((sum, each) => sum + each.judged, 0);
    }, PATIENCE)
    .toBe(summary.tasks);
  return judged(leases);
}

/** The relay answers a path as `how` says, all others as ever. */
function stub(path: string, how: (signal: AbortSignal | null | undefined) => Promise<Response>): void {
  const real = fetch;
  vi.stubGlobal("fetch", (input: Parameters<typeof fetch>[0], init?: RequestInit) =>
    String(input instanceof Request ? input.url : input).endsWith(path)
      ? how(init?.signal)
      : real(input, init),
  );
}

describe("the requester's share of the draw", { timeout: 60_000 }, () => {
  test("finds an honest provider's results right, those with inputs too large for an opening among them", async () => {
    const honest = await enter(HONEST);
    const large = new Uint8Array(40_000).fill(3);
    const job = await compute([...INPUTS, large]);
    expect(job.outputs[8]).toEqual([4, 3]);
    const { verdicts } = await untilJudged(job);
    expect(verdicts).toEqual([...INPUTS, large].map(() => "match"));
    expect((await client.standing(honest.peer)).barred).toBeUndefined();
  });

  test("catches a liar that the relay's own draw leaves alone, and takes its pay back", async () => {
    const liar = await enter(FALSE);
    const before = (await tabmesh.account())?.available ?? 0n;
    const job = await compute();
    expect(job.outputs[0]).toEqual([2, 7]);
    await expect.poll(async () => (await client.standing(liar.peer)).barred, PATIENCE).toBeDefined();
    expect((await client.standing(liar.peer)).mismatched).toBeGreaterThan(0);
    const { leases } = await client.job(job.summary.job);
    expect(leases.map(({ forfeited }) => forfeited > 0n)).toEqual([true]);
    const { verdicts, sources } = await untilJudged(job);
    expect(verdicts).toEqual(INPUTS.map(() => "mismatch"));
    expect(new Set(sources)).toEqual(new Set(["requester"]));
    const after = (await tabmesh.account())?.available ?? 0n;
    expect(before - after).toBe(DEFAULT_AUDIT_POLICY.leaseFee);
  });

  test("delays neither the job nor its end where the relay does not answer", async () => {
    await enter(HONEST);
    let asked = 0;
    stub(RELAY_PATHS.reveals, (signal) => {
      asked += 1;
      return new Promise((_, reject) => {
        signal?.addEventListener("abort", () => reject(signal.reason));
      });
    });
    const other = await connect({ relay: relay.url });
    const { summary } = await compute(INPUTS, other);
    expect(summary).toMatchObject({ done: INPUTS.length, failed: 0, cancelled: false });
    await other.close();
    expect(asked).toBe(1);
  });

  test("is no failure of the job where the relay refuses it", async () => {
    await enter(HONEST);
    stub(RELAY_PATHS.reveals, () => Promise.resolve(new Response("no", { status: 500 })));
    const { summary } = await compute();
    expect(summary).toMatchObject({ done: INPUTS.length, failed: 0 });
    expect((await client.job(summary.job)).leases.map(({ drawn }) => drawn)).toEqual([0]);
  });

  test("punishes nobody for what the requester does not open", async () => {
    const liar = await enter(FALSE);
    stub(RELAY_PATHS.openings, () => Promise.reject(new TypeError("the requester's line is down")));
    const job = await compute();
    await expect
      .poll(async () => (await client.job(job.summary.job)).leases.map(({ drawn }) => drawn), PATIENCE)
      .toEqual([INPUTS.length]);
    // The last of all: a log's time never goes back.
    aheadMs = DAY + 60_000;
    const { verdicts } = await untilJudged(job);
    expect(verdicts).toEqual(INPUTS.map(() => "inconclusive"));
    expect((await client.standing(liar.peer)).barred).toBeUndefined();
    expect((await client.job(job.summary.job)).leases.map(({ forfeited }) => forfeited)).toEqual([0n]);
  });
});
