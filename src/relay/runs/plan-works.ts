import { graphsOf } from "../../plan/node-parts.ts";
import type { Graph, NodeId, Plan, PlanNode } from "../../plan/plan.ts";
import type { Cid } from "../../protocol/cid.ts";
import { capabilityCid } from "../../protocol/messages/effect.ts";

function worksOf(node: PlanNode): readonly Cid[] {
  if (node.kind === "call") return [node.callee.cid];
  if (node.kind === "effect") return [capabilityCid(node.capability)];
  if (node.kind !== "agent") return [];
  const tools = node.tools.map(({ tool }) =>
    tool.kind === "function" ? tool.callee.cid : capabilityCid(tool.capability),
  );
  return [node.mind.cid, ...tools];
}

/** What each node of a plan has others carry out: functions, models and capabilities, by CID. */
export function planWorks({ graph }: Plan): ReadonlyMap<NodeId, readonly Cid[]> {
  const works = new Map<NodeId, readonly Cid[]>();
  const walk = ({ nodes }: Graph): void => {
    for (const [id, node] of Object.entries(nodes)) {
      works.set(id, worksOf(node));
      for (const inner of graphsOf(node)) walk(inner.graph);
    }
  };
  walk(graph);
  return works;
}
