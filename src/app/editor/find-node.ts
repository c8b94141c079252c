import { graphsOf } from "../../plan/node-parts.ts";
import type { Graph, NodeId, Plan, PlanNode } from "../../plan/plan.ts";

/** A graph inside of a node; undefined stands for the plan's own. */
export interface GraphPlace {
  readonly owner: NodeId;
  /** As in "graph", "then", "of.0". */
  readonly role: string;
}

/** A node, and the graph it is in. */
export interface Found {
  readonly node: PlanNode;
  readonly graph: Graph;
  readonly place: GraphPlace | undefined;
}

export function findNode(plan: Plan, id: NodeId): Found | undefined {
  return findIn(plan.graph, undefined, id);
}

function findIn(graph: Graph, place: GraphPlace | undefined, id: NodeId): Found | undefined {
  for (const [each, node] of Object.entries(graph.nodes)) {
    if (each === id) return { node, graph, place };
    for (const inner of graphsOf(node)) {
      const found = findIn(inner.graph, { owner: each, role: inner.role }, id);
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

export function graphAt(plan: Plan, place: GraphPlace | undefined): Graph | undefined {
  if (place === undefined) return plan.graph;
  const owner = findNode(plan, place.owner);
  return owner && graphsOf(owner.node).find(({ role }) => role === place.role)?.graph;
}

/** Of all nodes, inner ones after those around them. */
export function idsOf(graph: Graph): readonly NodeId[] {
  const ids: NodeId[] = [];
  for (const [id, node] of Object.entries(graph.nodes)) {
    ids.push(id);
    for (const inner of graphsOf(node)) ids.push(...idsOf(inner.graph));
  }
  return ids;
}
