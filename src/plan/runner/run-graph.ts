import type { Cid } from "../../protocol/cid.ts";
import { failureCode } from "../../protocol/failure-code.ts";
import { FailureError } from "../../protocol/failure.ts";
import type { NodeId, PlanNode } from "../plan.ts";
import type { Core, GraphCall } from "./core.ts";
import { needsOf, watchedOnly, watches } from "./graph-order.ts";
import { given, NOTHING } from "./inputs.ts";
import type { Ending, GraphEnd, NodeFailure } from "./known.ts";
import { runNode, skip } from "./run-node.ts";
import { Scope } from "./scope.ts";

/** A graph from its first node to its last. @throws the signal's reason when it was aborted from outside. */
export async function runGraph(core: Core, call: GraphCall): Promise<GraphEnd> {
  const { graph, iteration, params, signal, outer } = call;
  const scope = new Scope({
    graph,
    iteration,
    params,
    signal,
    turns: (outer?.turns ?? 1) * (call.turns ?? 1),
    ...(outer === undefined ? {} : { outer }),
  });
  const watched = watchedOnly(graph);
  let failed: Extract<Ending, { kind: "failed" }> | undefined;
  const carry = async (id: NodeId, node: PlanNode): Promise<void> => {
    const isOver = watched.has(id) && wasSeen(core, scope, id);
    const ending = isOver
      ? await skip(core, { node: id, iteration }, [])
      : await runNode(core, scope, id, node);
    scope.end(id, ending);
    if (ending.kind !== "failed" || watched.has(id) || failed !== undefined) return;
    failed = ending;
    scope.abort(new FailureError("cancelled", `node ${id} failed`));
  };
  const all: Promise<void>[] = [];
  const needed: Promise<void>[] = [];
  for (const [id, node] of Object.entries(graph.nodes)) {
    const running = carry(id, node);
    all.push(running);
    if (!watched.has(id)) needed.push(running);
  }
  const everything = Promise.all(all);
  everything.catch(() => undefined);
  await Promise.all(needed);
  if (watched.size > 0) scope.abort(new FailureError("cancelled", "it is not needed any more"));
  await everything;
  scope.close();
  if (failed !== undefined) return { kind: "failed", failure: failed.failure, tail: [failed.receipt] };
  signal.throwIfAborted();
  return resultOf(core, scope, watched);
}

/** Whether all that watch a node were settled by a coordinator before: nobody waits for it any more. */
function wasSeen(core: Core, { graph, iteration }: Scope, id: NodeId): boolean {
  const watchers = Object.entries(graph.nodes).filter(([, node]) => watches(node, id));
  return watchers.every(([node]) => core.settled({ node, iteration }, NOTHING) !== undefined);
}

async function resultOf(core: Core, scope: Scope, watched: ReadonlySet<NodeId>): Promise<GraphEnd> {
  const { graph } = scope;
  const value = await given(core, scope, graph.result);
  if (value === undefined) return { kind: "failed", failure: noResult(scope), tail: [] };
  const tail = new Set<Cid>(value.parents);
  for (const receipt of ends(scope, watched)) tail.add(receipt);
  return { kind: "done", value, tail: [...tail] };
}

function noResult({ graph, iteration }: Scope): NodeFailure {
  const node = graph.result.from === "node" ? graph.result.node : "";
  return {
    node,
    iteration,
    code: failureCode("cancelled"),
    detail: "what it needs did not come to anything",
  };
}

/** Receipts of nodes that nothing else in the graph follows from, in the plan's order. */
function ends({ graph, ended }: Scope, watched: ReadonlySet<NodeId>): readonly Cid[] {
  const followed = new Set<NodeId>(Object.values(graph.nodes).flatMap((node) => needsOf(node)));
  return Object.keys(graph.nodes).flatMap((id) => {
    const ending = ended.get(id);
    return ending === undefined || watched.has(id) || followed.has(id) ? [] : [ending.receipt];
  });
}
