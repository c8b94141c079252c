import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import wabtInit from "wabt";
import type { CallNode, Plan } from "../plan/plan.ts";
import type { RunEvent } from "../plan/runner-ports.ts";
import { verifyRun } from "../plan/verify/verify-run.ts";
import { cidOf, RAW } from "../protocol/cid.ts";
import { verifierOf } from "../protocol/ed25519.ts";
import { failureCode } from "../protocol/failure-code.ts";
import { fuel } from "../protocol/units.ts";
import type { SandboxThread } from "../provider/sandbox-thread.ts";
import { createRelayClient } from "../mesh/relay-client.ts";
import { relayConfig } from "../relay/config.ts";
import { type Relay, startRelay } from "../relay/start-relay.ts";
import { type ComputeHere, connect, type Tabmesh } from "../sdk/index.ts";
import { sandboxHere } from "../sdk/lease-pair.contract.ts";
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

const VERIFY = verifierOf(crypto.subtle);

/** A machine that begins and never comes to an end. */
function neverEnding(): SandboxThread {
  return { ...sandboxHere(), runAll: () => new Promise(() => undefined) };
}

/** The real sandbox, on what the coordinator has. */
const computeHere: ComputeHere = async ({ cid, entry }, { input, seed, limits }) => {
  const thread = sandboxHere();
  await thread.load(cid, ADD);
  const [made] = await thread.runAll([
    {
      function: { cid, abi: "bytes-1", entry },
      args: { args: [], env: {}, files: [] },
      input,
      seed,
      limits: { fuel: limits.fuel, memoryBytes: limits.memory, outputBytes: limits.output },
    },
  ]);
  if (made === undefined) throw new Error("nothing was run");
  return made;
};

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

/** The plan with another first node. */
function withOnce(more: Partial<CallNode>): Plan {
  const once = call(ADD, { from: "param", param: "word" }, more);
  return { ...TWICE, graph: { ...TWICE.graph, nodes: { ...TWICE.graph.nodes, once } } };
}

/** What was signed by each provider for a node. */
function endsOf(told: readonly RunEvent[], node: string): readonly (RunEvent & { readonly kind: "ended" })[] {
  return told.flatMap((event) => (event.kind === "ended" && event.node === node ? [event] : []));
}

describe("a run of a plan", { timeout: 60_000 }, () => {
  test("is carried on by a holder whom the initiator has named, and by nobody else", async () => {
    await join(ADD);
    const [holder, stranger] = await Promise.all([
      connect({ relay: relay.url }),
      connect({ relay: relay.url }),
    ]);
    const begun = Promise.withResolvers<void>();
    const first = await tabmesh.startRun(
      TWICE,
      { word: "abc" },
      {
        modules: [ADD],
        holders: [holder.requester],
        onEvent: (event) => (event.kind === "ended" ? begun.resolve() : undefined),
      },
    );
    await begun.promise;
    await first.leave();
    await expect(stranger.continueRun(first.id, { atOnce: true })).rejects.toMatchObject({
      code: failureCode("denied"),
    });
    const run = await holder.continueRun(first.id, { atOnce: true });
    expect((await run.result()).value).toBe("cde");
    const check = await verifyRun(run.record(), VERIFY);
    expect(check.problems).toEqual([]);
    await run.summary;
    // The payer of the run pays, whoever coordinates it.
    expect((await holder.account())?.available ?? 0n).toBe(0n);
    await Promise.all([holder.close(), stranger.close()]);
  });

  test("gives a step to another provider when the first one vanishes in the middle of it", async () => {
    const left = Promise.withResolvers<void>();
    const slow = await join(ADD, { onTask: () => left.resolve(), startThread: neverEnding });
    const told: RunEvent[] = [];
    const run = await tabmesh.startRun(
      TWICE,
      { word: "abc" },
      { modules: [ADD], onEvent: (event) => told.push(event) },
    );
    await left.promise;
    await join(ADD);
    await slow.vanish();
    expect((await run.result()).value).toBe("cde");
    expect(told.find((event) => event.kind === "lost")).toMatchObject({ node: "once", attempt: 0 });
    const check = await verifyRun(run.record(), VERIFY);
    expect(check.problems).toEqual([]);
    await run.summary;
  });

  test("has a step carried out by several owners, and takes what they agree on", async () => {
    await join(ADD);
    await join(ADD);
    await join(ADD);
    const plan = withOnce({ provenance: { check: "quorum", k: 2, n: 3 } });
    const told: RunEvent[] = [];
    const run = await tabmesh.startRun(
      plan,
      { word: "abc" },
      { modules: [ADD], onEvent: (e) => told.push(e) },
    );
    expect((await run.result()).value).toBe("cde");
    const signers = new Set(endsOf(told, "once").map(({ peer }) => peer));
    signers.delete(tabmesh.requester);
    expect(signers.size).toBeGreaterThanOrEqual(2);
    const check = await verifyRun(run.record(), VERIFY);
    expect(check.problems).toEqual([]);
    await run.summary;
  });

  test("a false result is outvoted where several owners are asked", async () => {
    await join(ADD);
    await join(moduleOf(`(i32.const 33)`));
    await join(ADD);
    const nodes = {
      once: call(ADD, { from: "param", param: "word" }, { provenance: { check: "quorum", k: 2, n: 3 } }),
    };
    const plan: Plan = { ...TWICE, graph: { ...TWICE.graph, nodes, result: { from: "node", node: "once" } } };
    const run = await tabmesh.startRun(plan, { word: "abc" }, { modules: [ADD] });
    expect((await run.result()).value).toBe("bcd");
    await run.summary;
  });

  test("fails before it costs more than its budget, and says which node", async () => {
    await join(ADD);
    const run = await tabmesh.startRun(TWICE, { word: "abc" }, { modules: [ADD], budget: 100n });
    await expect(run.result()).rejects.toMatchObject({
      code: failureCode("insufficient-funds"),
      failure: { node: "once", paid: 0n },
    });
    expect((await run.summary).spent).toBe(0n);
  });

  test("that is cancelled ends at once, frees what it had set aside, and says so at the relay", async () => {
    const begun = Promise.withResolvers<void>();
    await join(ADD, { onTask: () => begun.resolve(), startThread: neverEnding });
    const run = await tabmesh.startRun(TWICE, { word: "abc" }, { modules: [ADD] });
    await begun.promise;
    run.cancel();
    await expect(run.result()).rejects.toMatchObject({ code: failureCode("cancelled") });
    await run.summary;
    const client = createRelayClient({ baseUrl: relay.url, fetch: (input, init) => fetch(input, init) });
    expect(await client.run(run.id)).toMatchObject({ state: "cancelled" });
  });

  test("a failure of the function is told with node, peer, code and advice", async () => {
    const provider = await join(moduleOf(`(i32.div_u (i32.const 1) (i32.const 0))`));
    const run = await tabmesh.startRun(TWICE, { word: "abc" }, { modules: [ADD] });
    await expect(run.result()).rejects.toMatchObject({
      code: failureCode("trap-divide-by-zero"),
      failure: { node: "once", peer: provider.peer },
    });
    expect(await run.summary).toMatchObject({ failure: { node: "once" } });
  });

  test("steps placed with another node's go to the peer that carried that out", async () => {
    await join(ADD);
    await join(ADD);
    const again = call(ADD, { from: "node", node: "once" }, { place: { at: "with", node: "once" } });
    const plan = { ...TWICE, graph: { ...TWICE.graph, nodes: { ...TWICE.graph.nodes, again } } };
    const told: RunEvent[] = [];
    const run = await tabmesh.startRun(
      plan,
      { word: "abc" },
      { modules: [ADD], onEvent: (e) => told.push(e) },
    );
    await run.result();
    expect(endsOf(told, "again")[0]?.peer).toBe(endsOf(told, "once")[0]?.peer);
    await run.summary;
  });

  test("computes here what the plan places at its coordinator, and again what it wants computed again", async () => {
    await join(ADD);
    const once = call(ADD, { from: "param", param: "word" }, { provenance: { check: "replay" } });
    const again = call(ADD, { from: "node", node: "once" }, { place: { at: "coordinator" } });
    const plan = { ...TWICE, graph: { ...TWICE.graph, nodes: { once, again } } };
    const told: RunEvent[] = [];
    const run = await tabmesh.startRun(
      plan,
      { word: "abc" },
      { modules: [ADD], compute: computeHere, onEvent: (event) => told.push(event) },
    );
    expect((await run.result()).value).toBe("cde");
    expect(endsOf(told, "again")[0]?.peer).toBe(tabmesh.requester);
    const check = await verifyRun(run.record(), VERIFY);
    expect(check.problems).toEqual([]);
    await run.summary;
  });

  test("a plan that wants steps of its coordinator fails where that cannot compute, and says so", async () => {
    await join(ADD);
    const again = call(ADD, { from: "node", node: "once" }, { place: { at: "coordinator" } });
    const plan = { ...TWICE, graph: { ...TWICE.graph, nodes: { ...TWICE.graph.nodes, again } } };
    const run = await tabmesh.startRun(plan, { word: "abc" }, { modules: [ADD] });
    await expect(run.result()).rejects.toMatchObject({
      code: failureCode("unsupported"),
      failure: { node: "again" },
    });
    await run.summary;
  });
});
