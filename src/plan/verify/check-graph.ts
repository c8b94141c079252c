import type { Cid } from "../../protocol/cid.ts";
import { FailureError } from "../../protocol/failure.ts";
import { orderOf } from "../check/order.ts";
import { parseJson } from "../json-value.ts";
import { inputsOf } from "../node-parts.ts";
import type { Graph, NodeId, PlanNode, Source } from "../plan.ts";
import type { StepKey } from "../runner-ports.ts";
import { needsOf, placeNodes, watchedOnly } from "../runner/graph-order.ts";
import { argsOf, NOTHING, slotsOf, slotType } from "../runner/inputs.ts";
import type { Receipt } from "../state/receipt.ts";
import { typeOfValue } from "../type-relations.ts";
import type { ValueType } from "../value-type.ts";
import { constantBytes } from "../values.ts";
import type { CheckState, GraphSeen, NodeSeen, Seen, SeenPlace, SeenScope } from "./check-state.ts";

const ABSENT: NodeSeen = { kind: "absent" };

/** What a graph came to, by the rules of docs/plan.md, from receipts and values alone. */
export function checkGraph(
  check: CheckState,
  graph: Graph,
  iteration: string,
  params: ReadonlyMap<string, Seen>,
  outer?: SeenScope,
): GraphSeen {
  const scope: SeenScope = {
    graph,
    iteration,
    params,
    nodes: new Map(),
    ...(outer === undefined ? {} : { outer }),
  };
  const watched = watchedOnly(graph);
  let failed: Cid | undefined;
  let missing: NodeId | undefined;
  for (const id of orderOf(graph).order) {
    const seen = nodeIn(check, scope, id);
    if (watched.has(id)) continue;
    if (seen.kind === "failed") failed ??= seen.receipt;
    if (seen.kind === "absent") missing ??= id;
  }
  if (failed !== undefined) return { kind: "failed", receipt: failed };
  if (missing !== undefined) return { kind: "absent", node: missing };
  const value = sourceIn(check, scope, graph.result);
  const [first = ""] = Object.keys(graph.nodes);
  if (value === undefined) return { kind: "absent", node: first };
  return { kind: "done", value, tail: [...new Set([...value.parents, ...endsOf(scope, watched)])] };
}

/** Receipts of nodes that nothing else in the graph follows from: whoever settles the graph names them. */
function endsOf({ graph, nodes }: SeenScope, watched: ReadonlySet<NodeId>): readonly Cid[] {
  const followed = new Set(Object.values(graph.nodes).flatMap((node) => needsOf(node)));
  return Object.keys(graph.nodes).flatMap((id) => {
    const seen = nodes.get(id);
    return seen?.kind !== "done" || watched.has(id) || followed.has(id) ? [] : [seen.receipt];
  });
}

/** How a node of this graph, or of one around it, ended. */
export function nodeIn(check: CheckState, scope: SeenScope, id: NodeId): NodeSeen {
  const before = scope.nodes.get(id);
  if (before !== undefined) return before;
  const node = scope.graph.nodes[id];
  if (node === undefined) return scope.outer === undefined ? ABSENT : nodeIn(check, scope.outer, id);
  // A circle cannot be: the plan was checked.
  scope.nodes.set(id, ABSENT);
  const seen = checkNode(check, scope, id, node);
  scope.nodes.set(id, seen);
  return seen;
}

function checkNode(check: CheckState, scope: SeenScope, id: NodeId, node: PlanNode): NodeSeen {
  const key: StepKey = { node: id, iteration: scope.iteration };
  const after: Cid[] = [];
  const named = [
    ...inputsOf(node).flatMap(({ source }) => (source.from === "node" ? [source.node] : [])),
    ...(node.after ?? []),
    ...placeNodes(node),
  ];
  for (const other of named) {
    const seen = nodeIn(check, scope, other);
    if (node.kind === "stream" || node.kind === "observe") continue;
    if (seen.kind !== "done") return ABSENT;
    if (node.after?.includes(other) === true) after.push(seen.receipt);
  }
  if (node.kind === "observe") for (const other of node.of) nodeIn(check, scope, other);
  const inputs = new Map<string, Seen>();
  for (const { slot, source } of slotsOf(node)) {
    const value = sourceIn(check, scope, source, slotType(node, slot));
    if (value === undefined) return ABSENT;
    inputs.set(slot, value);
  }
  return judged(check, scope, { id, node, key, inputs, after });
}

function judged(
  check: CheckState,
  scope: SeenScope,
  parts: Pick<SeenPlace, "id" | "node" | "key" | "inputs"> & { readonly after: readonly Cid[] },
): NodeSeen {
  const { node, key, inputs, after } = parts;
  const args = inputs.size === 0 ? NOTHING : argsOf(node, refsOf(inputs));
  const settled = check.settled(key);
  if (settled !== undefined && settled.step.args !== args) {
    check.wrong(key, "it was given something else than what the plan and the receipts before say");
    return ABSENT;
  }
  const parents = [...new Set([...[...inputs.values()].flatMap((value) => value.parents), ...after])];
  try {
    return check.kind(check, { ...parts, scope, args, parents, settled });
  } catch (error) {
    if (!(error instanceof FailureError)) throw error;
    // A node that fails by itself: its receipt has to say the same.
    return failedItself(check, key, settled, error);
  }
}

function failedItself(
  check: CheckState,
  key: StepKey,
  settled: Receipt | undefined,
  error: FailureError,
): NodeSeen {
  if (settled === undefined) return ABSENT;
  if (settled.step.code !== error.code)
    check.wrong(key, `by the plan it fails (${error.detail}), and its receipt says otherwise`);
  return { kind: "failed", receipt: settled.id };
}

/** `argsOf` takes references; a check has CIDs. */
export function refsOf(
  inputs: ReadonlyMap<string, Seen>,
): ReadonlyMap<
  string,
  { readonly ref: { readonly cid: Cid; readonly size: number; readonly holders: readonly [] } }
> {
  return new Map([...inputs].map(([slot, { cid }]) => [slot, { ref: { cid, size: 0, holders: [] } }]));
}

export function sourceIn(
  check: CheckState,
  scope: SeenScope,
  source: Source,
  as?: ValueType,
): Seen | undefined {
  switch (source.from) {
    case "param":
      return scope.params.get(source.param);
    case "constant": {
      const type = as ?? typeOfValue(parseJson(source.json));
      const bytes = constantBytes(type, source.json);
      return { cid: check.cidOf(bytes), type, bytes, parents: [], by: [] };
    }
    case "node": {
      const seen = nodeIn(check, scope, source.node);
      return seen.kind === "done" ? seen.value : undefined;
    }
    default:
      return source satisfies never;
  }
}
