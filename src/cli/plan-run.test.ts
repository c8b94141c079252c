import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import wabtInit from "wabt";
import { type CallNode, type ExprNode, type MapNode, type Plan } from "../plan/plan.ts";
import type { RunEvent } from "../plan/runner-ports.ts";
import { verifyRun } from "../plan/verify/verify-run.ts";
import { type Cid, cidOf, RAW } from "../protocol/cid.ts";
import { verifierOf } from "../protocol/ed25519.ts";
import { openEnvelope } from "../protocol/envelope.ts";
import { stepMessage } from "../protocol/messages/run.ts";
import { fuel } from "../protocol/units.ts";
import { relayConfig } from "../relay/config.ts";
import { type Relay, startRelay } from "../relay/start-relay.ts";
import { connect, type Tabmesh } from "../sdk/index.ts";
import {
  type FunctionProvider,
  type FunctionProviderOptions,
  startFunctionProvider,
} from "./function-provider.contract.ts";

const wabt = await wabtInit();

/** Adds one to every byte of its input. */
const ADD = moduleOf(`(i32.add (i32.const 1) (i32.load8_u (i32.add (local.get 0) (local.get 2))))`);

function moduleOf(byte: string): Uint8Array {
  const text = `(module (memory (export "memory") 64 128)
  (func (export "tabmesh_alloc") (param i32) (result i32) (i32.const 1024))
  (func (export "tabmesh_run") (param i32 i32) (result i64) (local i32)
    (block $done (loop $next
      (br_if $done (i32.ge_u (local.get 2) (local.get 1)))
      (i32.store8 (i32.add (local.get 0) (local.get 2)) ${byte})
      (local.set 2 (i32.add (local.get 2) (i32.const 1)))
      (br $next)))
    (i64.or (i64.shl (i64.extend_i32_u (local.get 0)) (i64.const 32)) (i64.extend_i32_u (local.get 1)))))`;
  return new Uint8Array(wabt.parseWat("f.wat", text).toBinary({}).buffer);
}

const LIMITS = { fuel: fuel(10_000_000), memory: 8 << 20, output: 1 << 20, deadlineMs: 5_000 } as const;

function call(module: Uint8Array, input: CallNode["input"], more: Partial<CallNode> = {}): CallNode {
  return {
    kind: "call",
    callee: { kind: "function", cid: cidOf(RAW, module), entry: "tabmesh_run", abi: "bytes-1", args: [] },
    input,
    output: { type: "text" },
    place: { at: "any" },
    provenance: { check: "signature" },
    limits: LIMITS,
    ...more,
  };
}

function resultOf(event: { readonly envelope: Uint8Array } | undefined): Cid | undefined {
  return event === undefined ? undefined : openEnvelope(stepMessage, event.envelope).body.result;
}

const VERIFY = verifierOf(crypto.subtle);

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

const TWICE: Plan = {
  v: 1,
  name: "twice",
  graph: {
    params: { word: { type: "text" } },
    nodes: {
      once: call(ADD, { from: "param", param: "word" }),
      again: call(ADD, { from: "node", node: "once" }),
    },
    result: { from: "node", node: "again" },
  },
};

/** Every byte of an element is counted up at some provider, then all of them are put together. */
const SPREAD: Plan = {
  v: 1,
  name: "spread",
  graph: {
    params: { words: { type: "list", of: { type: "text" } } },
    nodes: {
      each: {
        kind: "map",
        over: { from: "param", param: "words" },
        with: {},
        graph: {
          params: { item: { type: "text" }, index: { type: "number" } },
          nodes: { added: call(ADD, { from: "param", param: "item" }) },
          result: { from: "node", node: "added" },
        },
        max: 64,
        parallel: 8,
      } satisfies MapNode,
      all: {
        kind: "expr",
        expression: {
          op: "call",
          name: "join",
          args: [
            { op: "name", name: "words" },
            { op: "constant", json: '","' },
          ],
        },
        with: { words: { from: "node", node: "each" } },
      } satisfies ExprNode,
    },
    result: { from: "node", node: "all" },
  },
};

/** What was signed by each provider for a node. */
function endsOf(told: readonly RunEvent[], node: string): readonly (RunEvent & { readonly kind: "ended" })[] {
  return told.flatMap((event) => (event.kind === "ended" && event.node === node ? [event] : []));
}

describe("a run of a plan", { timeout: 60_000 }, () => {
  test("carries two steps out at providers, and what they sign leads from the parameter to the result", async () => {
    await join(ADD);
    const run = await tabmesh.startRun(TWICE, { word: "abc" }, { modules: [ADD] });
    const { value } = await run.result();
    expect(value).toBe("cde");
    const summary = await run.summary;
    expect(summary).toMatchObject({
      done: 2,
      failed: 0,
      lost: 0,
      providers: providers.map(({ peer }) => peer),
    });
    expect(summary.spent).toBeGreaterThan(0n);
    expect(summary.spent).toBeLessThanOrEqual(summary.budget);
    const check = await verifyRun(run.record(), VERIFY);
    expect(check).toMatchObject({ ok: true, problems: [], status: "done" });
  });

  test("shares the elements of a list out over the providers, and joins what they made", async () => {
    await join(ADD);
    await join(ADD);
    const words = Array.from({ length: 24 }, (_, i) => `a${i % 8}`);
    const told: RunEvent[] = [];
    const run = await tabmesh.startRun(
      SPREAD,
      { words },
      { modules: [ADD], onEvent: (event) => told.push(event) },
    );
    const { value } = await run.result();
    expect(value).toBe(words.map((_, i) => `b${(i % 8) + 1}`).join(","));
    const { providers: served, jobs } = await run.summary;
    expect(served.length).toBeGreaterThan(0);
    expect(new Set(endsOf(told, "added").map(({ iteration }) => iteration)).size).toBe(24);
    expect(jobs).toHaveLength(1);
    expect(endsOf(told, "added")).toHaveLength(24);
  });

  test("a value that is large goes from one provider to the next, and comes here once, as the result", async () => {
    await join(ADD);
    await join(ADD);
    const word = "a".repeat(300_000);
    const told: RunEvent[] = [];
    const apart = call(ADD, { from: "node", node: "once" }, { place: { at: "any", apartFrom: ["once"] } });
    const plan = { ...TWICE, graph: { ...TWICE.graph, nodes: { ...TWICE.graph.nodes, again: apart } } };
    const run = await tabmesh.startRun(
      plan,
      { word },
      { modules: [ADD], onEvent: (event) => told.push(event) },
    );
    const { value } = await run.result();
    expect(value).toBe("c".repeat(300_000));
    await run.summary;
    const [once] = endsOf(told, "once");
    const [again] = endsOf(told, "again");
    expect(once?.peer).not.toBe(again?.peer);
    const maker = providers.find(({ peer }) => peer === once?.peer);
    expect(maker?.served).toEqual([resultOf(once)]);
  });

  test("goes on after its initiator has left it, from the steps that are signed", async () => {
    const provider = await join(ADD);
    const begun = Promise.withResolvers<void>();
    const first = await tabmesh.startRun(
      TWICE,
      { word: "abc" },
      { modules: [ADD], onEvent: (event) => (event.kind === "ended" ? begun.resolve() : undefined) },
    );
    await begun.promise;
    await first.leave();
    await expect(first.result()).rejects.toMatchObject({ detail: expect.stringContaining("left") });
    const told: RunEvent[] = [];
    const again = await tabmesh.continueRun(first.id, { onEvent: (event) => told.push(event) });
    expect((await again.result()).value).toBe("cde");
    expect(again.id).toBe(first.id);
    expect(endsOf(told, "again").length).toBeGreaterThan(0);
    expect(told.some((event) => event.kind === "given" && event.node === "once")).toBe(false);
    expect(provider.begun).toBe(2);
    const check = await verifyRun(again.record(), VERIFY);
    expect(check.problems).toEqual([]);
  });
});
