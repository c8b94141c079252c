import { graphsOf, inputsOf } from "../../plan/node-parts.ts";
import type { Graph, NodeId, Place, Plan, PlanNode, Source } from "../../plan/plan.ts";
import type { ValueType } from "../../plan/value-type.ts";
import { findNode, type GraphPlace, idsOf } from "./find-node.ts";

/** What stands where nothing has been chosen yet. */
export const NOTHING: Source = { from: "constant", json: "null" };

/** A plan without anything in it. */
export function emptyPlan(name: string): Plan {
  return { v: 1, name, graph: { params: {}, nodes: {}, result: NOTHING } };
}

/** @returns the plan with that graph changed; as it was where there is no such graph */
export function changeGraph(
  plan: Plan,
  place: GraphPlace | undefined,
  change: (graph: Graph) => Graph,
): Plan {
  if (place === undefined) return { ...plan, graph: change(plan.graph) };
  return changeNode(plan, place.owner, (node) => {
    const inner = graphsOf(node).find(({ role }) => role === place.role);
    return inner === undefined ? node : withGraph(node, place.role, change(inner.graph));
  });
}

/** @returns the plan with that node changed; as it was where there is no such node */
export function changeNode(plan: Plan, id: NodeId, change: (node: PlanNode) => PlanNode): Plan {
  return { ...plan, graph: changeIn(plan.graph, id, change) };
}

function changeIn(graph: Graph, id: NodeId, change: (node: PlanNode) => PlanNode): Graph {
  return mapNodes(graph, (node, each) => {
    if (each === id) return change(node);
    let changed = node;
    for (const { role, graph: inner } of graphsOf(node)) {
      const next = changeIn(inner, id, change);
      if (next !== inner) changed = withGraph(changed, role, next);
    }
    return changed;
  });
}

/** The same graph where no node has changed, so that an edit touches only what is around it. */
function mapNodes(graph: Graph, change: (node: PlanNode, id: NodeId) => PlanNode): Graph {
  const entries = Object.entries(graph.nodes);
  const changed = entries.map(([id, node]) => [id, change(node, id)] as const);
  return changed.every(([, node], index) => node === entries[index]?.[1])
    ? graph
    : { ...graph, nodes: Object.fromEntries(changed) };
}

function withGraph(node: PlanNode, role: string, graph: Graph): PlanNode {
  switch (node.kind) {
    case "map":
    case "reduce":
    case "loop":
    case "retry":
    case "timeout":
    case "subplan":
      return { ...node, graph };
    case "branch":
      return role === "then" ? { ...node, then: graph } : { ...node, otherwise: graph };
    case "attempt":
      return role === "fallback" ? { ...node, fallback: graph } : { ...node, graph };
    case "select":
      return { ...node, of: node.of.map((each, index) => (role === `of.${index}` ? graph : each)) };
    case "call":
    case "effect":
    case "agent":
    case "expr":
    case "delay":
    case "observe":
    case "stream":
    case "fail":
      return node;
    default:
      return node satisfies never;
  }
}

/** @param slot as `inputsOf` names it @returns the node as it was where it has no such slot */
export function withInput(node: PlanNode, slot: string, source: Source): PlanNode {
  if (slot.startsWith("with.") && "with" in node)
    return { ...node, with: { ...node.with, [slot.slice("with.".length)]: source } };
  switch (node.kind) {
    case "call":
      return { ...node, input: source };
    case "effect":
      return { ...node, request: source };
    case "agent":
      return { ...node, task: source };
    case "map":
      return slot === "over" ? { ...node, over: source } : node;
    case "reduce":
      return slot === "over" ? { ...node, over: source } : { ...node, initial: source };
    case "branch":
      return { ...node, condition: source };
    case "loop":
      return { ...node, initial: source };
    case "delay":
      return { ...node, value: source };
    case "stream":
      return { ...node, of: node.of.map((each, index) => (slot === `of.${index}` ? source : each)) };
    case "fail":
      return { ...node, detail: source };
    case "observe":
    case "expr":
    case "select":
    case "attempt":
    case "retry":
    case "timeout":
    case "subplan":
      return node;
    default:
      return node satisfies never;
  }
}

/** Adds a name under which the node's expression or its graphs know a value. */
export function withName(node: PlanNode, name: string, source: Source, type: ValueType): PlanNode {
  if (!("with" in node)) return node;
  const named: PlanNode = { ...node, with: { ...node.with, [name]: source } };
  return mapGraphs(named, (graph) => ({ ...graph, params: { ...graph.params, [name]: type } }));
}

export function withoutName(node: PlanNode, name: string): PlanNode {
  if (!("with" in node)) return node;
  const left: PlanNode = { ...node, with: without(node.with, name) };
  return mapGraphs(left, (graph) => {
    const { params } = graph;
    const unused = { ...graph, params: without(params, name) };
    return name in params
      ? rewire(unused, (source) => (source.from === "param" && source.param === name ? NOTHING : source))
      : graph;
  });
}

function mapGraphs(node: PlanNode, change: (graph: Graph) => Graph): PlanNode {
  let changed = node;
  for (const { role, graph } of graphsOf(node)) changed = withGraph(changed, role, change(graph));
  return changed;
}

function without<T>(fields: Readonly<Record<string, T>>, name: string): Readonly<Record<string, T>> {
  return Object.fromEntries(Object.entries(fields).filter(([each]) => each !== name));
}

/** Gives every place of a graph that takes a value another source. Inner graphs have names of their own. */
function rewire(graph: Graph, change: (source: Source) => Source): Graph {
  const wired = mapNodes(graph, (node) => {
    let changed = node;
    for (const { slot, source } of inputsOf(node)) {
      const next = change(source);
      if (next !== source) changed = withInput(changed, slot, next);
    }
    return changed;
  });
  const result = change(graph.result);
  return result === graph.result ? wired : { ...wired, result };
}

/** "call", "call-2", …: what no node of the plan is called. */
export function freeId(plan: Plan, wanted: string): NodeId {
  const taken = new Set(idsOf(plan.graph));
  if (!taken.has(wanted)) return wanted;
  for (let number = 2; ; number += 1) {
    const id = `${wanted}-${number}`;
    if (!taken.has(id)) return id;
  }
}

export function addNode(plan: Plan, place: GraphPlace | undefined, id: NodeId, node: PlanNode): Plan {
  return changeGraph(plan, place, (graph) => ({
    ...graph,
    nodes: { ...graph.nodes, [id]: node },
    // The newest node is what comes out, until somebody says otherwise.
    result: isNothing(graph.result) ? { from: "node", node: id } : graph.result,
  }));
}

export function isNothing(source: Source): boolean {
  return source.from === "constant" && source.json === "null";
}

/** Takes a node out; whatever used its value has nothing there. */
export function removeNode(plan: Plan, id: NodeId): Plan {
  const found = findNode(plan, id);
  if (found === undefined) return plan;
  const bare = changeGraph(plan, found.place, (graph) => {
    const left = { ...graph, nodes: without(graph.nodes, id) };
    return rewire(left, (source) => (source.from === "node" && source.node === id ? NOTHING : source));
  });
  return renameMentions(bare, id, undefined);
}

/** Calls a node otherwise, wherever it is named. @returns the plan as it was where the name is taken or cannot be one */
export function renameNode(plan: Plan, id: NodeId, to: NodeId): Plan {
  const found = findNode(plan, id);
  if (found === undefined || whyNotId(plan, id, to) !== undefined) return plan;
  const renamed = changeGraph(plan, found.place, (graph) => {
    const nodes = Object.entries(graph.nodes).map(([each, node]) => [each === id ? to : each, node] as const);
    const named = { ...graph, nodes: Object.fromEntries(nodes) };
    return rewire(named, (source) =>
      source.from === "node" && source.node === id ? { from: "node", node: to } : source,
    );
  });
  return renameMentions(renamed, id, to);
}

const ID_PATTERN = /^[\w-]{1,64}$/u;

/** @returns why a node cannot be called so, or undefined */
export function whyNotId(plan: Plan, id: NodeId, to: NodeId): string | undefined {
  if (!ID_PATTERN.test(to)) return "Use letters, digits, “-” and “_”, at most 64.";
  if (to !== id && idsOf(plan.graph).includes(to)) return `Another step is called “${to}”.`;
  return undefined;
}

/** `after`, `observe` and places name nodes too. */
function renameMentions(plan: Plan, id: NodeId, to: NodeId | undefined): Plan {
  const renameAll = (ids: readonly NodeId[]): readonly NodeId[] =>
    ids.flatMap((each) => (each === id ? (to ?? []) : each));
  const change = (node: PlanNode): PlanNode => {
    const { after, ...rest } = node;
    const left = after === undefined ? undefined : renameAll(after);
    // oxlint-disable-next-line no-nested-ternary
    const base: PlanNode = left === undefined ? node : left.length === 0 ? rest : { ...node, after: left };
    if (base.kind === "observe") return { ...base, of: renameAll(base.of) };
    return "place" in base ? { ...base, place: renamePlace(base.place, id, to, renameAll) } : base;
  };
  return { ...plan, graph: mapAll(plan.graph, change) };
}

function renamePlace(
  place: Place,
  id: NodeId,
  to: NodeId | undefined,
  renameAll: (ids: readonly NodeId[]) => readonly NodeId[],
): Place {
  if (place.at === "with" && place.node === id)
    return to === undefined ? { at: "any" } : { at: "with", node: to };
  if (place.at !== "any" || place.apartFrom === undefined) return place;
  const apartFrom = renameAll(place.apartFrom);
  const { apartFrom: _before, ...rest } = place;
  return apartFrom.length === 0 ? rest : { ...rest, apartFrom };
}

/** Every node, inner ones first. */
function mapAll(graph: Graph, change: (node: PlanNode) => PlanNode): Graph {
  return mapNodes(graph, (node) => change(mapGraphs(node, (inner) => mapAll(inner, change))));
}

export function setInput(plan: Plan, id: NodeId, slot: string, source: Source): Plan {
  return changeNode(plan, id, (node) => withInput(node, slot, source));
}

export function setResult(plan: Plan, place: GraphPlace | undefined, result: Source): Plan {
  return changeGraph(plan, place, (graph) => ({ ...graph, result }));
}

/** Parameters of the plan itself. */
export function setParam(plan: Plan, name: string, type: ValueType): Plan {
  return changeGraph(plan, undefined, (graph) => ({ ...graph, params: { ...graph.params, [name]: type } }));
}

export function removeParam(plan: Plan, name: string): Plan {
  return changeGraph(plan, undefined, (graph) =>
    rewire({ ...graph, params: without(graph.params, name) }, (source) =>
      source.from === "param" && source.param === name ? NOTHING : source,
    ),
  );
}

export function renameParam(plan: Plan, name: string, to: string): Plan {
  if (to === "" || to in plan.graph.params) return plan;
  return changeGraph(plan, undefined, (graph) => {
    const params = Object.entries(graph.params).map(
      ([each, type]) => [each === name ? to : each, type] as const,
    );
    return rewire({ ...graph, params: Object.fromEntries(params) }, (source) =>
      source.from === "param" && source.param === name ? { from: "param", param: to } : source,
    );
  });
}
