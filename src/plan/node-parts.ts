import type { Graph, NodeId, PlanNode, Source } from "./plan.ts";

/** Where a node is given something: "input", "with.text", "of.0". */
export interface NodeInput {
  readonly slot: string;
  readonly source: Source;
}

/** A graph inside of a node, by the part it plays. */
export interface NodeGraph {
  readonly role: string;
  readonly graph: Graph;
}

/** What a node is given, in the order of its fields; names in `with` in their own. */
export function inputsOf(node: PlanNode): readonly NodeInput[] {
  switch (node.kind) {
    case "call":
      return [{ slot: "input", source: node.input }];
    case "effect":
      return [{ slot: "request", source: node.request }];
    case "agent":
      return [{ slot: "task", source: node.task }];
    case "map":
      return [{ slot: "over", source: node.over }, ...given(node.with)];
    case "reduce":
      return [
        { slot: "over", source: node.over },
        { slot: "initial", source: node.initial },
        ...given(node.with),
      ];
    case "branch":
      return [{ slot: "condition", source: node.condition }, ...given(node.with)];
    case "loop":
      return [{ slot: "initial", source: node.initial }, ...given(node.with)];
    case "delay":
      return [{ slot: "value", source: node.value }];
    case "stream":
      return node.of.map((source, index) => ({ slot: `of.${index}`, source }));
    case "fail":
      return [{ slot: "detail", source: node.detail }];
    case "observe":
      return [];
    case "expr":
    case "select":
    case "attempt":
    case "retry":
    case "timeout":
    case "subplan":
      return given(node.with);
    default:
      return node satisfies never;
  }
}

function given(sources: Readonly<Record<string, Source>>): readonly NodeInput[] {
  return Object.entries(sources).map(([name, source]) => ({ slot: `with.${name}`, source }));
}

/** Graphs inside of a node, in the order in which they are told. */
export function graphsOf(node: PlanNode): readonly NodeGraph[] {
  switch (node.kind) {
    case "map":
    case "reduce":
    case "loop":
    case "retry":
    case "timeout":
    case "subplan":
      return [{ role: "graph", graph: node.graph }];
    case "branch":
      return [
        { role: "then", graph: node.then },
        { role: "otherwise", graph: node.otherwise },
      ];
    case "attempt":
      return [
        { role: "graph", graph: node.graph },
        { role: "fallback", graph: node.fallback },
      ];
    case "select":
      return node.of.map((graph, index) => ({ role: `of.${index}`, graph }));
    case "call":
    case "effect":
    case "agent":
    case "expr":
    case "delay":
    case "observe":
    case "stream":
    case "fail":
      return [];
    default:
      return node satisfies never;
  }
}

/** Nodes of the same graph that must have ended before this one, although their values are not used. */
export function waitsFor(node: PlanNode): readonly NodeId[] {
  return [...(node.after ?? []), ...(node.kind === "observe" ? node.of : [])];
}
