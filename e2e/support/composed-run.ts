import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { startRunProcess } from "../../src/cli/run-process.contract.ts";
import { encodePlan } from "../../src/plan/plan-codec.ts";
import type { CallNode, ExprNode, Plan, PlanNode } from "../../src/plan/plan.ts";
import type { RunRecord } from "../../src/plan/run-record.ts";
import { verifyRun } from "../../src/plan/verify/verify-run.ts";
import { cidOf, RAW } from "../../src/protocol/cid.ts";
import { verifierOf } from "../../src/protocol/ed25519.ts";
import { openEnvelope } from "../../src/protocol/envelope.ts";
import { stepMessage } from "../../src/protocol/messages/run.ts";
import { fuel } from "../../src/protocol/units.ts";
import type { PlanRunSummary, Tabmesh } from "../../src/sdk/index.ts";
import { wat } from "./functions.ts";

/** Works for a tenth of a second, then adds one to every byte of its input. */
const ADD: Uint8Array = wat(`(local $i i32)
  (loop (local.set $i (i32.add (local.get $i) (i32.const 1)))
    (br_if 0 (i32.lt_u (local.get $i) (i32.const 20000000))))
  (local.set $i (i32.const 0))
  (block $done (loop $next
    (br_if $done (i32.ge_u (local.get $i) (local.get $length)))
    (i32.store8 (i32.add (local.get $at) (local.get $i))
      (i32.add (i32.const 1) (i32.load8_u (i32.add (local.get $at) (local.get $i)))))
    (local.set $i (i32.add (local.get $i) (i32.const 1)))
    (br $next)))
  (i64.or (i64.shl (i64.extend_i32_u (local.get $at)) (i64.const 32)) (i64.extend_i32_u (local.get $length)))`);

const LIMITS = { fuel: fuel(1_000_000_000), memory: 4 << 20, output: 1_024, deadlineMs: 30_000 } as const;

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
  const graph = { params: { word: { type: "text" } }, nodes, result: { from: "node", node: "all" } } as const;
  return { v: 1, name: "chains", graph };
}

export interface ComposedOptions {
  readonly relay: string;
  /** Goes on when the initiator is gone. */
  readonly holder: Tabmesh;
  readonly folder: string;
  readonly width: number;
  readonly depth: number;
  /** Happen while the initiator coordinates, and when the holder does; each is waited for. */
  readonly before: readonly (() => Promise<void> | void)[];
  readonly after: readonly (() => Promise<void> | void)[];
  readonly log: (text: string) => void;
}

export interface ComposedRun {
  readonly value: unknown;
  /** What the value has to be. */
  readonly expected: unknown;
  readonly summary: PlanRunSummary;
  readonly problems: readonly string[];
  /** Attempts that a provider signed under two leases: it would be paid twice for them. */
  readonly paidTwice: number;
  /** Steps that more than one provider came to an end with. */
  readonly doneAgain: number;
  /** From the start to the result. */
  readonly elapsedMs: number;
}

/** A plan is started by a process that is killed on the way, and brought to its end by a holder, while things go wrong. */
export async function runComposed(options: ComposedOptions): Promise<ComposedRun> {
  const { relay, holder, folder, width, depth, before, after, log } = options;
  await mkdir(folder, { recursive: true });
  const [planFile, moduleFile] = [join(folder, "plan"), join(folder, "module")];
  await Promise.all([writeFile(planFile, encodePlan(chains(width, depth))), writeFile(moduleFile, ADD)]);
  const begunAt = performance.now();
  const steps = width * depth;
  const initiator = await startRunProcess(relay, {
    seed: "07".repeat(32),
    planFile,
    moduleFile,
    params: { word: "a" },
    budget: "4000000",
    holders: [holder.requester],
  });
  log(`run ${initiator.run}: ${steps} steps`);
  await initiator.untilEnded(Math.floor(steps / 5));
  for (const act of before) await act();
  await initiator.untilEnded(Math.floor((2 * steps) / 5));
  await initiator.kill();
  log("the initiator is gone");
  const run = await holder.continueRun(initiator.run);
  log("the holder goes on");
  for (const act of after) await act();
  const { value } = await run.result();
  const elapsedMs = performance.now() - begunAt;
  const summary = await run.summary;
  const record = run.record();
  const check = await verifyRun(record, verifierOf(crypto.subtle));
  return {
    value,
    expected: Array.from({ length: width }, () => String.fromCodePoint(97 + depth)),
    summary,
    problems: check.problems.map(({ where, message }) => `${where}: ${message}`),
    ...paymentsOf(record),
    elapsedMs,
  };
}

function paymentsOf({ steps }: RunRecord): Pick<ComposedRun, "paidTwice" | "doneAgain"> {
  const paid = steps
    .map((step) => openEnvelope(stepMessage, step))
    .filter(({ body }) => body.lease !== undefined && body.status === "done");
  const attempts = new Set(
    paid.map(({ body, signedBy }) => `${signedBy[0]?.key} ${body.node} ${body.iteration} ${body.attempt}`),
  );
  const done = new Set(paid.map(({ body }) => `${body.node} ${body.iteration}`));
  return { paidTwice: paid.length - attempts.size, doneAgain: attempts.size - done.size };
}
