import { graphsOf, inputsOf, waitsFor } from "../node-parts.ts";
import type { Graph, NodeId, Place, PlanNode } from "../plan.ts";

/** Nodes whose peers a place speaks of. */
export function nodesOfPlace(place: Place): readonly NodeId[] {
  if (place.at === "with") return [place.node];
  return place.at === "any" ? (place.apartFrom ?? []) : [];
}

/** Nodes that places inside of the node's graphs name, which have to be outside of it. */
function nodesOfInnerPlaces(node: PlanNode, found: NodeId[] = []): readonly NodeId[] {
  for (const { graph } of graphsOf(node))
    for (const inner of Object.values(graph.nodes)) {
      if ("place" in inner) found.push(...nodesOfPlace(inner.place));
      nodesOfInnerPlaces(inner, found);
    }
  return found;
}

/** Nodes of its own graph that a node follows from, in whichever way. */
export function needsOf(graph: Graph, node: PlanNode): readonly NodeId[] {
  const sources = inputsOf(node).flatMap(({ source }) => (source.from === "node" ? [source.node] : []));
  const places = [...("place" in node ? nodesOfPlace(node.place) : []), ...nodesOfInnerPlaces(node)];
  return [...new Set([...sources, ...waitsFor(node), ...places])].filter((id) =>
    Object.hasOwn(graph.nodes, id),
  );
}

/** Nodes of a graph, each behind those that it follows from; a circle of nodes where that cannot be. */
export function orderOf(graph: Graph): {
  readonly order: readonly NodeId[];
  readonly circle?: readonly NodeId[];
} {
  const order: NodeId[] = [];
  const done = new Set<NodeId>();
  const path: NodeId[] = [];
  const onPath = new Set<NodeId>();
  let circle: readonly NodeId[] | undefined;

  // By hand instead of by recursion: a chain of thousands of nodes is a plan like any other.
  const stack: { readonly id: NodeId; readonly needs: readonly NodeId[]; next: number }[] = [];
  const enter = (id: NodeId): void => {
    const node = graph.nodes[id];
    if (node === undefined || done.has(id)) return;
    if (onPath.has(id)) {
      circle ??= [...path.slice(path.indexOf(id)), id];
      return;
    }
    path.push(id);
    onPath.add(id);
    stack.push({ id, needs: needsOf(graph, node), next: 0 });
  };
  for (const id of Object.keys(graph.nodes)) {
    enter(id);
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const need = top.needs[top.next];
      top.next += 1;
      if (need !== undefined) {
        enter(need);
        continue;
      }
      stack.pop();
      path.pop();
      onPath.delete(top.id);
      done.add(top.id);
      order.push(top.id);
    }
  }
  return circle === undefined ? { order } : { order, circle };
}
