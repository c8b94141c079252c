import { inputsOf, waitsFor } from "../node-parts.ts";
import type { NodeId, PlanNode } from "../plan.ts";
import { byKey } from "../names.ts";

/** Nodes of one graph from those that need none to those that need others, by name where that leaves a choice. */
export function orderOfNodes(nodes: Readonly<Record<NodeId, PlanNode>>): readonly NodeId[] {
  const left = new Map<NodeId, Set<NodeId>>();
  const users = new Map<NodeId, NodeId[]>();
  for (const [id, node] of Object.entries(nodes)) {
    const needs = new Set(
      [...nodesGivenTo(node), ...waitsFor(node)].filter((need) => Object.hasOwn(nodes, need)),
    );
    left.set(id, needs);
    for (const need of needs) users.set(need, [...(users.get(need) ?? []), id]);
  }
  const order: NodeId[] = [];
  let ready = [...left].filter(([, needs]) => needs.size === 0).map(([id]) => id);
  while (ready.length > 0) {
    const next: NodeId[] = [];
    for (const id of ready.toSorted(byKey)) {
      order.push(id);
      for (const user of users.get(id) ?? []) {
        const needs = left.get(user);
        if (needs?.delete(id) === true && needs.size === 0) next.push(user);
      }
    }
    ready = next;
  }
  // Those in a cycle come last: a text has to hold them for people to mend.
  const placed = new Set(order);
  return [
    ...order,
    ...Object.keys(nodes)
      .filter((id) => !placed.has(id))
      .toSorted(byKey),
  ];
}

function nodesGivenTo(node: PlanNode): readonly NodeId[] {
  return inputsOf(node).flatMap(({ source }) => (source.from === "node" ? [source.node] : []));
}
