import { expect } from "vitest";
import { decodeUtf8, encodeUtf8 } from "../../protocol/text.ts";
import { checkPlan } from "../check.ts";
import { canonicalJson, type Value } from "../json-value.ts";
import { describeProblem } from "../plan-error.ts";
import { parseExpression } from "../expression/parse-expression.ts";
import {
  coordinator,
  digest,
  type MemoryFunction,
  type MemoryMesh,
  memoryRun,
  type MemoryRunParts,
  verify,
} from "../memory-peers.contract.ts";
import type { ExprNode, Graph, Plan, PlanNode, Source } from "../plan.ts";
import type { RunEvent } from "../runner-ports.ts";
import { decodeRunRecord, encodeRunRecord } from "../run-record.ts";
import type { ValueType } from "../value-type.ts";
import { type RunCheck, verifyRun } from "../verify/verify-run.ts";
import type { RunEnd, RunnerOptions } from "./runner-options.ts";
import type { Runner } from "./runner.ts";

export const TEXT: ValueType = { type: "text" };
export const NUMBER: ValueType = { type: "number" };
export const JSON_TYPE: ValueType = { type: "json" };

export const node = (id: string): Source => ({ from: "node", node: id });
export const param = (name: string): Source => ({ from: "param", param: name });
export const constant = (value: Value): Source => ({ from: "constant", json: canonicalJson(value) });

/** A function of text. */
export const textual =
  (change: (text: string) => string): MemoryFunction =>
  (input) =>
    encodeUtf8(change(decodeUtf8(input)));

export const FUNCTIONS: Readonly<Record<string, MemoryFunction>> = {
  upper: textual((given) => given.toUpperCase()),
  twice: textual((given) => given + given),
  same: textual((given) => given),
};

export function expr(text: string, from: Readonly<Record<string, Source>> = {}): ExprNode {
  return { kind: "expr", expression: parseExpression(text), with: from };
}

export function planOf(
  nodes: Readonly<Record<string, PlanNode>>,
  result: Source,
  params: Graph["params"] = {},
): Plan {
  const plan: Plan = { v: 1, name: "test", graph: { params, nodes, result } };
  expect(checkPlan(plan).map(describeProblem)).toEqual([]);
  return plan;
}

export interface Ran {
  readonly runner: Runner;
  readonly end: RunEnd;
  readonly events: readonly RunEvent[];
  readonly check: RunCheck;
  /** The result as text, or what it failed with. */
  readonly said: string;
}

/** Carries a plan out, and checks the run from its record as a file. */
export async function ran(
  mesh: MemoryMesh,
  parts: MemoryRunParts,
  options: Partial<RunnerOptions> = {},
): Promise<Ran> {
  const run = await memoryRun(mesh, parts);
  const { runner, events } = coordinator(mesh, run, run.initiator, options);
  const end = await runner.start();
  const check = await verifyRun(decodeRunRecord(encodeRunRecord(runner.record())), verify, digest);
  const said =
    end.failure === undefined
      ? decodeUtf8(end.result?.bytes ?? new Uint8Array())
      : `${end.failure.node} ${end.failure.iteration} ${end.failure.code} ${end.failure.detail}`;
  return { runner, end, events, check, said };
}
