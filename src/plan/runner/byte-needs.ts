import { inputsOf } from "../node-parts.ts";
import type { Graph, NodeId, PlanNode, Source } from "../plan.ts";

/** Whether a coordinator reads this slot of a node itself; peers get their inputs from each other. */
function readsHere(node: PlanNode, slot: string): boolean {
  if (node.kind === "call" || node.kind === "effect") return false;
  if (!slot.startsWith("with.") || node.kind === "expr") return true;
  const name = slot.slice("with.".length);
  return innerGraphs(node).some((graph) => readsParam(graph, name));
}

function innerGraphs(node: PlanNode): readonly Graph[] {
  if (node.kind === "branch") return [node.then, node.otherwise];
  if (node.kind === "attempt") return [node.graph, node.fallback];
  if (node.kind === "select") return node.of;
  return "graph" in node ? [node.graph] : [];
}

function readsParam(graph: Graph, param: string): boolean {
  return reads(graph, (source) => source.from === "param" && source.param === param);
}

function reads(graph: Graph, isIt: (source: Source) => boolean): boolean {
  return (
    isIt(graph.result) ||
    Object.values(graph.nodes).some((node) =>
      inputsOf(node).some(({ slot, source }) => isIt(source) && readsHere(node, slot)),
    )
  );
}

/** Whether the coordinator needs the bytes of a node's value, or only peers do, to whom they go directly. */
export function needsBytes(graph: Graph, id: NodeId): boolean {
  const isIt = (source: Source): boolean => source.from === "node" && source.node === id;
  const isWatched = Object.values(graph.nodes).some(
    (node) => node.kind === "observe" && node.of.includes(id),
  );
  return isWatched || reads(graph, isIt);
}
