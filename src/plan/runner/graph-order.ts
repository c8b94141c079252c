import { inputsOf } from "../node-parts.ts";
import type { Graph, NodeId, PlanNode } from "../plan.ts";

/** Nodes that `node` follows from: whose values it is given, which it comes after, or whose peer it asks. */
export function needsOf(node: PlanNode): readonly NodeId[] {
  const needs = inputsOf(node).flatMap(({ source }) => (source.from === "node" ? [source.node] : []));
  return node.kind === "stream" ? (node.after ?? []) : [...needs, ...(node.after ?? []), ...placeNodes(node)];
}

/** Nodes whose peers `place` speaks of. */
export function placeNodes(node: PlanNode): readonly NodeId[] {
  if (!("place" in node)) return [];
  if (node.place.at === "with") return [node.place.node];
  return node.place.at === "any" ? (node.place.apartFrom ?? []) : [];
}

/** Whether a node observes or streams another. */
export function watches(node: PlanNode, id: NodeId): boolean {
  if (node.kind === "observe") return node.of.includes(id);
  return node.kind === "stream" && node.of.some((source) => source.from === "node" && source.node === id);
}

/** Nodes of a graph that only observe and stream nodes name: how they end is data, and nobody waits for them. */
export function watchedOnly(graph: Graph): ReadonlySet<NodeId> {
  const watched = new Set<NodeId>();
  const needed = new Set<NodeId>(graph.result.from === "node" ? [graph.result.node] : []);
  for (const node of Object.values(graph.nodes)) {
    for (const id of needsOf(node)) needed.add(id);
    if (node.kind === "observe") for (const id of node.of) watched.add(id);
    if (node.kind === "stream")
      for (const source of node.of) if (source.from === "node") watched.add(source.node);
  }
  for (const id of needed) watched.delete(id);
  return watched;
}
