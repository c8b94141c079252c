import { graphsOf } from "../node-parts.ts";
import type { Graph, NodeId, PlanNode } from "../plan.ts";
import { iterationDepth, WHOLE_RUN } from "../state/attempts.ts";
import type { StepKey } from "../runner-ports.ts";

/** A node, and how many numbers its iterations have. */
export interface PlanPlace {
  readonly depth: number;
  readonly node: PlanNode;
}

const COUNTED: ReadonlySet<PlanNode["kind"]> = new Set(["map", "reduce", "loop", "retry"]);

function collect(graph: Graph, depth: number, into: Map<NodeId, PlanPlace>): void {
  for (const [id, node] of Object.entries(graph.nodes)) {
    into.set(id, { depth, node });
    for (const inner of graphsOf(node)) collect(inner.graph, depth + (COUNTED.has(node.kind) ? 1 : 0), into);
  }
}

/** All nodes of a plan, inner graphs included. */
export function nodesOf(graph: Graph): ReadonlyMap<NodeId, PlanPlace> {
  const nodes = new Map<NodeId, PlanPlace>();
  collect(graph, 0, nodes);
  return nodes;
}

/** Whether a run of the plan can have such a step: an agent's own steps have one number more than it. */
export function hasStep(nodes: ReadonlyMap<NodeId, PlanPlace>, { node, iteration }: StepKey): boolean {
  if (node === WHOLE_RUN) return iteration === "";
  const place = nodes.get(node);
  if (place === undefined || !/^(?:(?:0|[1-9][0-9]*)(?:\.(?:0|[1-9][0-9]*))*)?$/u.test(iteration))
    return false;
  const depth = iterationDepth(iteration);
  return depth === place.depth || (place.node.kind === "agent" && depth === place.depth + 1);
}
