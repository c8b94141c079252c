import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import wabtInit from "wabt";
import { createRelayClient } from "../mesh/relay-client.ts";
import { failureCode } from "../protocol/failure-code.ts";
import { relayConfig } from "../relay/config.ts";
import { type Relay, startRelay } from "../relay/start-relay.ts";
import { connect, type JobOptions, type JobSummary, type MapResult, type Tabmesh } from "../sdk/index.ts";
import {
  type FunctionProvider,
  type FunctionProviderOptions,
  startFunctionProvider,
} from "./function-provider.contract.ts";

const wabt = await wabtInit();

/** Adds `step` to every byte of its input. */
function adder(step: number): Uint8Array {
  const text = `(module (memory (export "memory") 4 8)
  (func (export "tabmesh_alloc") (param i32) (result i32) (i32.const 1024))
  (func (export "tabmesh_run") (param i32 i32) (result i64) (local i32)
    (block $done (loop $next
      (br_if $done (i32.ge_u (local.get 2) (local.get 1)))
      (i32.store8 (i32.add (local.get 0) (local.get 2))
        (i32.add (i32.const ${step}) (i32.load8_u (i32.add (local.get 0) (local.get 2)))))
      (local.set 2 (i32.add (local.get 2) (i32.const 1)))
      (br $next)))
    (i64.or (i64.shl (i64.extend_i32_u (local.get 0)) (i64.const 32)) (i64.extend_i32_u (local.get 1)))))`;
  return new Uint8Array(wabt.parseWat("add.wat", text).toBinary({}).buffer);
}

const HONEST = adder(1);
const FALSE = adder(2);
const OTHERWISE_FALSE = adder(3);
const LIMITS = { fuel: 1_000_000n, memoryBytes: 1 << 20, outputBytes: 1_024, deadlineMs: 5_000 } as const;

let relay: Relay;
let tabmesh: Tabmesh;
const providers: FunctionProvider[] = [];

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
  await Promise.all(providers.splice(0).map((each) => each.vanish()));
  await expect.poll(offers, { timeout: 10_000 }).toBe(0);
});

afterAll(async () => {
  await tabmesh.close();
  await relay.stop();
});

async function join(
  module: Uint8Array,
  options: Partial<FunctionProviderOptions> = {},
): Promise<FunctionProvider> {
  const provider = await startFunctionProvider(relay.url, { module, ...options });
  providers.push(provider);
  await expect.poll(offers, { timeout: 10_000 }).toBe(providers.length);
  return provider;
}

const INPUTS = Array.from({ length: 6 }, (_, i) => Uint8Array.of(i, 10 + i));

interface Ended {
  readonly outputs: readonly (string | undefined)[];
  readonly results: readonly MapResult[];
  readonly summary: JobSummary;
  readonly notes: readonly string[];
}

async function compute(inputs: readonly Uint8Array[], options: JobOptions = {}): Promise<Ended> {
  const notes: string[] = [];
  const handle = await tabmesh.map(HONEST, inputs, {
    ...LIMITS,
    replicas: 2,
    onProgress: ({ note }) => void (note !== undefined && notes.push(note)),
    ...options,
  });
  const results: MapResult[] = [];
  for await (const result of handle) results.push(result);
  const outputs = inputs.map((_, i) => {
    const result = results.find(({ index }) => index === i);
    return result?.kind === "done" ? [...result.output].join() : undefined;
  });
  return { outputs, results, summary: await handle.summary, notes };
}

const RIGHT = INPUTS.map((input) => [...input].map((byte) => byte + 1).join());

async function barred({ peer }: FunctionProvider): Promise<string | undefined> {
  const client = createRelayClient({ baseUrl: relay.url, fetch: (input, init) => fetch(input, init) });
  return (await client.standing(peer)).barred;
}

/** The last of several may be judged a moment after the job is over. */
async function expectBarred(...liars: readonly FunctionProvider[]): Promise<void> {
  await expect
    .poll(async () => (await Promise.all(liars.map(barred))).includes(undefined), { timeout: 30_000 })
    .toBe(false);
}

describe("replicas at a real relay", { timeout: 60_000 }, () => {
  test("three providers without a record have to agree, and all of them are paid", async () => {
    for (const module of [HONEST, HONEST, HONEST]) await join(module);
    const { outputs, summary } = await compute(INPUTS);
    expect(outputs).toEqual(RIGHT);
    expect(summary).toMatchObject({ done: 6, failed: 0, agreed: 6, disputed: 0 });
    expect(summary.leases.map(({ tasks }) => tasks)).toEqual([6, 6, 6]);
    expect(new Set(summary.leases.map(({ provider }) => provider)).size).toBe(3);
  });

  test("a liar is found out by the referee and barred, and no false result is given", async () => {
    const liar = await join(FALSE);
    for (const module of [HONEST, HONEST]) await join(module);
    const { outputs, summary, notes } = await compute(INPUTS);
    expect(outputs).toEqual(RIGHT);
    expect(summary.disputed).toBeGreaterThan(0);
    expect(notes.some((note) => note.includes("disagree"))).toBe(true);
    await expectBarred(liar);
    for (const each of providers.slice(1)) expect(await barred(each)).toBeUndefined();
    const paid = summary.leases.filter(({ provider }) => provider === liar.peer);
    expect(paid.map(({ failure }) => failure?.code)).toContain(failureCode("verification-failed"));
  });

  test("two liars who say the same are no majority", async () => {
    const liars = [await join(FALSE), await join(FALSE)];
    for (const module of [HONEST, HONEST]) await join(module);
    const { outputs } = await compute(INPUTS, { replicas: 3, parallel: 4 });
    expect(outputs).toEqual(RIGHT);
    // Who was seated beside the honest ones is found out; the other may not have been asked.
    await expect
      .poll(async () => (await Promise.all(liars.map(barred))).some((reason) => reason !== undefined), {
        timeout: 30_000,
      })
      .toBe(true);
  });

  test("an input larger than an opening is put beside it for the referee", async () => {
    const liar = await join(FALSE);
    await join(HONEST);
    const large = new Uint8Array(40_000).fill(7);
    const { outputs } = await compute([large], { outputBytes: 64 * 1024, fuel: 10_000_000n });
    expect(outputs[0]).toBe([...large].map((byte) => byte + 1).join());
    await expectBarred(liar);
  });

  test("where no third one comes, the relay computes it again", async () => {
    for (const module of [HONEST, HONEST]) await join(module);
    const { outputs, summary, notes } = await compute(INPUTS.slice(0, 2), { noProviderTimeoutMs: 1_000 });
    expect(outputs).toEqual(RIGHT.slice(0, 2));
    expect(summary).toMatchObject({ done: 2, disputed: 0 });
    expect(notes.some((note) => note.includes("one more provider"))).toBe(true);
  });

  test("nothing is right when all lie differently, and the work goes to others", async () => {
    const liars = [await join(FALSE), await join(OTHERWISE_FALSE)];
    const job = compute(INPUTS.slice(0, 1), { noProviderTimeoutMs: 30_000, parallel: 4 });
    await expectBarred(...liars);
    for (const module of [HONEST, HONEST, HONEST]) await startHonest(module);
    const { outputs } = await job;
    expect(outputs).toEqual(RIGHT.slice(0, 1));
  });

  test("a provider that dies under seal is replaced", { timeout: 120_000 }, async () => {
    const dying = await join(HONEST, { onTask: () => void dying.vanish() });
    for (const module of [HONEST, HONEST, HONEST]) await startHonest(module);
    // Its connection may be noticed as dead long after: then its time to seal and to show runs out.
    const { outputs, summary } = await compute(INPUTS, { parallel: 4, deadlineMs: 1_000 });
    expect(outputs).toEqual(RIGHT);
    expect(summary.failed).toBe(0);
  });

  test("a cancelled job ends, and pays what was computed", async () => {
    const abort = new AbortController();
    for (const module of [HONEST, HONEST])
      await join(module, { onTask: (begun) => void (begun === 2 && abort.abort()) });
    const handle = await tabmesh.map(HONEST, INPUTS, { ...LIMITS, replicas: 2, signal: abort.signal });
    const summary = await handle.summary;
    expect(summary.cancelled).toBe(true);
    expect(summary.leases.every(({ failure }) => failure === undefined)).toBe(true);
    expect(summary.spent).toBeGreaterThan(0n);
  });

  test("with fewer providers than replicas the job says so, and fails with the relay's reasons", async () => {
    await join(HONEST);
    const notes: string[] = [];
    const handle = await tabmesh.map(HONEST, INPUTS, {
      ...LIMITS,
      replicas: 2,
      noProviderTimeoutMs: 1_500,
      onProgress: ({ note }) => void (note !== undefined && notes.push(note)),
    });
    await expect(handle.summary).rejects.toThrow(/1 at work on it|1 too close to another replica/u);
    expect(notes.some((note) => note.startsWith("1 of 2 providers of distinct owners"))).toBe(true);
    expect(providers[0]?.begun).toBe(0);
  });

  test("what would cost more than the cap is refused before anything is asked of anybody", async () => {
    await expect(tabmesh.map(HONEST, INPUTS, { ...LIMITS, replicas: 3, cap: 20n })).rejects.toThrow(
      "3 replicas at their limits cost",
    );
    await expect(tabmesh.map(HONEST, INPUTS, { ...LIMITS, replicas: 6 })).rejects.toThrow(RangeError);
  });
});

/** Beside providers that may have left. */
async function startHonest(module: Uint8Array): Promise<void> {
  providers.push(await startFunctionProvider(relay.url, { module }));
}
