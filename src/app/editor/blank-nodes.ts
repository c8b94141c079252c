import type { Callee, Graph, PlanNode, StepLimits } from "../../plan/plan.ts";
import type { ValueType } from "../../plan/value-type.ts";
import { fuel, microCredits } from "../../protocol/units.ts";
import type { KindName } from "../runs/kinds.ts";
import { NOTHING } from "./plan-edits.ts";

const MIB: number = 1024 * 1024;
const ANY: ValueType = { type: "json" };
const NUMBER: ValueType = { type: "number" };

/** What a step gets unless somebody says otherwise: a second or two of a slow tab. */
export const FIRST_LIMITS: StepLimits = {
  fuel: fuel(5_000_000_000n),
  memory: 64 * MIB,
  output: 256 * 1024,
  deadlineMs: 30_000,
};

function emptyGraph(params: Readonly<Record<string, ValueType>> = {}): Graph {
  return { params, nodes: {}, result: NOTHING };
}

const REMOTE = {
  place: { at: "any" },
  provenance: { check: "signature" },
  limits: FIRST_LIMITS,
} as const;

/** A step as it is when it is put into a plan. @param callee what it calls, where it calls something */
export function blankNode(kind: KindName, callee: Callee): PlanNode {
  switch (kind) {
    case "call":
      return { kind, ...REMOTE, callee, input: NOTHING, output: { type: "text" } };
    case "model":
      return {
        kind: "call",
        ...REMOTE,
        callee,
        input: NOTHING,
        output: { type: callee.entry === "embed" ? "bytes" : "text" },
      };
    case "effect":
      return {
        kind,
        ...REMOTE,
        // It computes nothing.
        limits: { ...FIRST_LIMITS, fuel: fuel(0n), memory: 0 },
        capability: {
          kind: "time",
          origins: [],
          methods: [],
          namespace: "",
          chains: [],
          secrets: [],
          maxBytes: 64 * 1024,
          timeoutMs: 10_000,
        },
        request: { from: "constant", json: "{}" },
        output: NUMBER,
      };
    case "agent":
      return {
        kind,
        ...REMOTE,
        mind: callee,
        task: NOTHING,
        tools: [],
        maxSteps: 8,
        budget: microCredits(1_000_000),
        output: ANY,
      };
    case "expr":
      return { kind, expression: { op: "constant", json: "null" }, with: {} };
    case "map":
      return {
        kind,
        over: NOTHING,
        with: {},
        max: 64,
        parallel: 8,
        graph: emptyGraph({ item: ANY, index: NUMBER }),
      };
    case "reduce":
      return {
        kind,
        over: NOTHING,
        initial: { from: "constant", json: "0" },
        with: {},
        max: 64,
        graph: emptyGraph({ accumulated: ANY, item: ANY, index: NUMBER }),
      };
    case "branch":
      return { kind, condition: NOTHING, with: {}, then: emptyGraph(), otherwise: emptyGraph() };
    case "select":
      return { kind, with: {}, of: [emptyGraph(), emptyGraph()], rule: "first", k: 1 };
    case "attempt":
      return { kind, with: {}, graph: emptyGraph(), fallback: emptyGraph({ failure: ANY }) };
    case "retry":
      return { kind, with: {}, graph: emptyGraph(), attempts: 3, backoffMs: 500 };
    case "timeout":
      return { kind, with: {}, graph: emptyGraph(), ms: 10_000 };
    case "delay":
      return { kind, value: NOTHING, ms: 1_000 };
    case "loop":
      return { kind, initial: NOTHING, with: {}, graph: emptyGraph({ value: ANY, turn: NUMBER }), max: 10 };
    case "subplan":
      return { kind, with: {}, graph: emptyGraph() };
    case "observe":
      return { kind, of: [], atLeast: 1, ms: 10_000 };
    case "stream":
      return { kind, of: [], max: 16 };
    case "fail":
      return { kind, detail: { from: "constant", json: JSON.stringify("stopped on purpose") } };
    default:
      return kind satisfies never;
  }
}
