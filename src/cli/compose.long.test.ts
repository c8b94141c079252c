import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join as joinPath } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import wabtInit from "wabt";
import type { CallNode, ExprNode, Plan, PlanNode } from "../plan/plan.ts";
import { encodePlan } from "../plan/plan-codec.ts";
import { verifyRun } from "../plan/verify/verify-run.ts";
import { cidOf, RAW } from "../protocol/cid.ts";
import { verifierOf } from "../protocol/ed25519.ts";
import { openEnvelope } from "../protocol/envelope.ts";
import { stepMessage } from "../protocol/messages/run.ts";
import { fuel } from "../protocol/units.ts";
import { relayConfig } from "../relay/config.ts";
import { type Relay, startRelay } from "../relay/start-relay.ts";
import { connect, type PlanRun, type Tabmesh } from "../sdk/index.ts";
import { type ProviderProcess, startProviderProcess } from "./provider-process.contract.ts";
import { startRunProcess } from "./run-process.contract.ts";

const wabt = await wabtInit();

/** Adds one to every byte of its input. */
const ADD = new Uint8Array(
  wabt
    .parseWat(
      "add.wat",
      `(module (memory (export "memory") 4 8)
  (func (export "tabmesh_alloc") (param i32) (result i32) (i32.const 1024))
  (func (export "tabmesh_run") (param i32 i32) (result i64) (local i32)
    (block $done (loop $next
      (br_if $done (i32.ge_u (local.get 2) (local.get 1)))
      (i32.store8 (i32.add (local.get 0) (local.get 2))
        (i32.add (i32.const 1) (i32.load8_u (i32.add (local.get 0) (local.get 2)))))
      (local.set 2 (i32.add (local.get 2) (i32.const 1)))
      (br $next)))
    (i64.or (i64.shl (i64.extend_i32_u (local.get 0)) (i64.const 32)) (i64.extend_i32_u (local.get 1)))))`,
    )
    .toBinary({}).buffer,
);

const LIMITS = { fuel: fuel(1_000_000), memory: 1 << 20, output: 1_024, deadlineMs: 10_000 } as const;
const WIDTH = 20;
const DEPTH = 10;

function call(input: CallNode["input"]): CallNode {
  return {
    kind: "call",
    callee: { kind: "function", cid: cidOf(RAW, ADD), entry: "tabmesh_run", abi: "bytes-1", args: [] },
    input,
    output: { type: "text" },
    place: { at: "any" },
    provenance: { check: "signature" },
    limits: LIMITS,
  };
}

/** Chains of steps side by side, and their ends put together. */
function chains(width: number, depth: number): Plan {
  const nodes: Record<string, PlanNode> = {};
  for (let chain = 0; chain < width; chain += 1)
    for (let link = 0; link < depth; link += 1)
      nodes[`c${chain}-${link}`] = call(
        link === 0 ? { from: "param", param: "word" } : { from: "node", node: `c${chain}-${link - 1}` },
      );
  const ends = Array.from({ length: width }, (_, chain) => `c${chain}-${depth - 1}`);
  nodes["all"] = {
    kind: "expr",
    expression: { op: "list", items: ends.map((_, i) => ({ op: "name", name: `v${i}` })) },
    with: Object.fromEntries(ends.map((node, i) => [`v${i}`, { from: "node", node } as const])),
  } satisfies ExprNode;
  return {
    v: 1,
    name: "chains",
    graph: { params: { word: { type: "text" } }, nodes, result: { from: "node", node: "all" } },
  };
}

let relay: Relay;
let folder: string;
let holder: Tabmesh;
const providers: ProviderProcess[] = [];

beforeAll(async () => {
  folder = await mkdtemp(joinPath(tmpdir(), "tabmesh-compose-"));
  relay = await startRelay(
    relayConfig({ port: 0, dataDir: ":memory:", iceServers: [], logLevel: "silent", auditThreads: 1 }),
  );
  holder = await connect({ relay: relay.url });
}, 60_000);

afterAll(async () => {
  await Promise.all(providers.map((each) => each.kill()));
  await holder.close();
  await relay.stop();
  await rm(folder, { recursive: true, force: true });
});

test(
  "two hundred steps on twelve machines, four killed, two frozen and the initiator gone: a holder brings it to its end",
  { timeout: 280_000 },
  async () => {
    for (let i = 0; i < 12; i += 1)
      providers.push(await startProviderProcess(relay.url, { module: ADD, pauseMs: 20 }));
    const plan = chains(WIDTH, DEPTH);
    const [planFile, moduleFile] = [joinPath(folder, "plan"), joinPath(folder, "module")];
    await Promise.all([writeFile(planFile, encodePlan(plan)), writeFile(moduleFile, ADD)]);
    const seed = "07".repeat(32);
    const initiator = await startRunProcess(relay.url, {
      seed,
      planFile,
      moduleFile,
      params: { word: "a" },
      budget: "4000000",
      holders: [holder.requester],
    });
    const stop = new AbortController();
    const taken = Promise.withResolvers<PlanRun>();
    const holding = holder.holdRuns({ signal: stop.signal, onRun: (each) => taken.resolve(each) });
    await initiator.untilEnded(40);
    await Promise.all(providers.slice(0, 2).map((each) => each.kill()));
    providers[4]?.freeze();
    await initiator.untilEnded(80);
    await initiator.kill();
    const run = await taken.promise;
    expect(run.id).toBe(initiator.run);
    await Promise.all(providers.slice(2, 4).map((each) => each.kill()));
    providers[5]?.freeze();
    const { value } = await run.result();
    expect(value).toEqual(Array.from({ length: WIDTH }, () => String.fromCodePoint(97 + DEPTH)));
    const summary = await run.summary;
    expect(summary.spent).toBeLessThanOrEqual(4_000_000n);
    const record = run.record();
    const check = await verifyRun(record, verifierOf(crypto.subtle));
    expect(check.problems).toEqual([]);
    expect(check.ok).toBe(true);
    // No provider was paid for one step twice: what it signed for a step, it signed under one lease.
    const places = record.steps
      .map((step) => openEnvelope(stepMessage, step))
      .filter(({ body }) => body.lease !== undefined)
      .map(({ body, signedBy }) => `${signedBy[0]?.key} ${body.node} ${body.iteration} ${body.attempt}`);
    expect(new Set(places).size).toBe(places.length);
    stop.abort();
    await holding;
  },
);
