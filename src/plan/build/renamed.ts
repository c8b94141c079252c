import type { Graph, NodeId, Place, PlanNode, Source } from "../plan.ts";

/** New names for nodes of a plan that becomes part of another one. */
type Rename = (id: NodeId) => NodeId;

/** The same graph, inner ones included, with other names of all its nodes. */
export function renamedGraph({ params, nodes, result }: Graph, rename: Rename): Graph {
  const rows = Object.entries(nodes).map(([id, node]): [NodeId, PlanNode] => [
    rename(id),
    renamed(node, rename),
  ]);
  return { params, nodes: Object.fromEntries(rows), result: sourceOf(result, rename) };
}

function sourceOf(source: Source, rename: Rename): Source {
  return source.from === "node" ? { from: "node", node: rename(source.node) } : source;
}

function withOf(sources: Readonly<Record<string, Source>>, rename: Rename): Readonly<Record<string, Source>> {
  return Object.fromEntries(
    Object.entries(sources).map(([name, source]) => [name, sourceOf(source, rename)]),
  );
}

function placeOf(place: Place, rename: Rename): Place {
  if (place.at === "with") return { at: "with", node: rename(place.node) };
  if (place.at !== "any" || place.apartFrom === undefined) return place;
  return { ...place, apartFrom: place.apartFrom.map(rename) };
}

function renamed(node: PlanNode, rename: Rename): PlanNode {
  const moved = parts(node, rename);
  return node.after === undefined ? moved : { ...moved, after: node.after.map(rename) };
}

function parts(node: PlanNode, rename: Rename): PlanNode {
  const from = (source: Source): Source => sourceOf(source, rename);
  const inner = (graph: Graph): Graph => renamedGraph(graph, rename);
  switch (node.kind) {
    case "call":
      return { ...node, place: placeOf(node.place, rename), input: from(node.input) };
    case "effect":
      return { ...node, place: placeOf(node.place, rename), request: from(node.request) };
    case "agent":
      return { ...node, place: placeOf(node.place, rename), task: from(node.task) };
    case "expr":
      return { ...node, with: withOf(node.with, rename) };
    case "map":
      return { ...node, over: from(node.over), with: withOf(node.with, rename), graph: inner(node.graph) };
    case "reduce": {
      const given = { over: from(node.over), initial: from(node.initial), with: withOf(node.with, rename) };
      return { ...node, ...given, graph: inner(node.graph) };
    }
    case "branch": {
      const given = { condition: from(node.condition), with: withOf(node.with, rename) };
      return { ...node, ...given, then: inner(node.then), otherwise: inner(node.otherwise) };
    }
    case "select":
      return { ...node, with: withOf(node.with, rename), of: node.of.map(inner) };
    case "attempt": {
      const given = withOf(node.with, rename);
      return { ...node, with: given, graph: inner(node.graph), fallback: inner(node.fallback) };
    }
    case "retry":
    case "timeout":
    case "subplan":
      return { ...node, with: withOf(node.with, rename), graph: inner(node.graph) };
    case "loop":
      return {
        ...node,
        initial: from(node.initial),
        with: withOf(node.with, rename),
        graph: inner(node.graph),
      };
    case "delay":
      return { ...node, value: from(node.value) };
    case "observe":
      return { ...node, of: node.of.map(rename) };
    case "stream":
      return { ...node, of: node.of.map(from) };
    case "fail":
      return { ...node, detail: from(node.detail) };
    default:
      return node satisfies never;
  }
}
