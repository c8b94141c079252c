import { failureCode } from "../../protocol/failure-code.ts";
import { FailureError } from "../../protocol/failure.ts";
import { kindOf } from "../json-value.ts";
import type {
  AttemptNode,
  BranchNode,
  Graph,
  RetryNode,
  SelectNode,
  SubplanNode,
  TimeoutNode,
} from "../plan.ts";
import { causeOf } from "../runner/cause.ts";
import { failureValue } from "../runner/choice-kinds.ts";
import { innerIteration } from "../state/attempts.ts";
import { checkGraph } from "./check-graph.ts";
import { failedBy, incomplete, onItsWord, same } from "./check-steps.ts";
import type { CheckState, GraphSeen, NodeSeen, SeenPlace } from "./check-state.ts";
import { fitSeen, withSeen } from "./check-turns.ts";

function inner(
  check: CheckState,
  place: SeenPlace,
  graph: Graph,
  iteration = place.key.iteration,
): GraphSeen {
  return checkGraph(check, graph, iteration, withSeen(check, graph, place.inputs), place.scope);
}

/** A node that is what its graph came to. */
function as(check: CheckState, place: SeenPlace, end: GraphSeen): NodeSeen {
  if (end.kind === "failed") return failedBy(check, place, end.receipt);
  if (end.kind === "absent") return incomplete(check, place, end);
  const type = check.typeOf(place.id);
  const fitted = fitSeen(check, end.value, type);
  return fitted === undefined ? onItsWord(check, place, type) : same(check, place, fitted, end.tail);
}

export function checkSubplan(check: CheckState, place: SeenPlace<SubplanNode>): NodeSeen {
  return as(check, place, inner(check, place, place.node.graph));
}

export function checkBranch(check: CheckState, place: SeenPlace<BranchNode>): NodeSeen {
  const given = place.inputs.get("condition");
  const condition = given === undefined ? undefined : check.read(given);
  if (condition === undefined) return onItsWord(check, place, check.typeOf(place.id));
  if (typeof condition !== "boolean")
    throw new FailureError("expression-failed", `the condition is ${kindOf(condition)}, not true or false`);
  return as(check, place, inner(check, place, condition ? place.node.then : place.node.otherwise));
}

export function checkAttempt(check: CheckState, place: SeenPlace<AttemptNode>): NodeSeen {
  const { node, key, scope } = place;
  const end = inner(check, place, node.graph);
  if (end.kind !== "failed") return as(check, place, end);
  if (place.settled !== undefined) check.requireParents(place.settled, [end.receipt]);
  const params = withSeen(check, node.fallback, place.inputs);
  const type = node.fallback.params["failure"];
  const cause = causeOf(check.state, check.isCoordinator, end.receipt);
  if (type !== undefined && cause !== undefined)
    params.set("failure", check.made(type, failureValue(cause), [end.receipt]));
  return as(check, place, checkGraph(check, node.fallback, key.iteration, params, scope));
}

export function checkRetry(check: CheckState, place: SeenPlace<RetryNode>): NodeSeen {
  const { node, key, settled } = place;
  let last: GraphSeen = { kind: "absent", node: place.id };
  for (let attempt = 0; attempt < node.attempts; attempt += 1) {
    const end = inner(check, place, node.graph, innerIteration(key.iteration, attempt));
    if (end.kind === "absent") break;
    last = end;
    if (end.kind === "done") break;
    if (settled !== undefined) check.requireParents(settled, [end.receipt]);
  }
  return as(check, place, last);
}

/** That time was up is the coordinator's word. */
export function checkTimeout(check: CheckState, place: SeenPlace<TimeoutNode>): NodeSeen {
  const { settled, node } = place;
  if (
    settled?.step.status === "failed" &&
    settled.step.code === failureCode("timed-out") &&
    settled.step.detail === `not done within ${node.ms} ms`
  )
    return { kind: "failed", receipt: settled.id };
  return as(check, place, inner(check, place, node.graph));
}

/** Which came first is the coordinator's word; that as many came to something, and to the same, is in their receipts. */
export function checkSelect(check: CheckState, place: SeenPlace<SelectNode>): NodeSeen {
  const { node, id, settled, key } = place;
  if (settled === undefined) return { kind: "absent" };
  const ends = node.of.map((graph) => inner(check, place, graph));
  const done = ends.flatMap((end) => (end.kind === "done" ? [end] : []));
  if (settled.step.status === "failed") {
    const failed = ends.filter((end) => end.kind === "failed");
    const mostSame = Math.max(
      0,
      ...done.map(({ value }) => done.filter((other) => other.value.cid === value.cid).length),
    );
    if (
      (node.rule === "first" ? done.length : mostSame) >= node.k &&
      failed.length + done.length === node.of.length
    )
      check.wrong(key, "enough of its alternatives came to something, and its receipt says that it failed");
    return { kind: "failed", receipt: settled.id };
  }
  const type = check.typeOf(id);
  if (node.rule === "first" && node.k > 1) return firstOfMany(check, place, done);
  const winners = done.filter(({ value }) => {
    const fitted = fitSeen(check, value, type);
    return fitted?.cid === settled.step.result;
  });
  const [winner] = winners;
  if (winner === undefined || winners.length < (node.rule === "first" ? 1 : node.k)) {
    check.wrong(key, `its value is not that of ${node.k} of its alternatives`);
    return { kind: "absent" };
  }
  const most = Math.max(
    ...done.map(({ value }) => done.filter((other) => other.value.cid === value.cid).length),
  );
  if (node.rule === "quorum" && winners.length < most)
    check.wrong(key, "more alternatives came to another value");
  const fitted = fitSeen(check, winner.value, type);
  return fitted === undefined ? onItsWord(check, place, type) : same(check, place, fitted, winner.tail);
}

function firstOfMany(
  check: CheckState,
  place: SeenPlace<SelectNode>,
  done: readonly Extract<GraphSeen, { kind: "done" }>[],
): NodeSeen {
  const { node, id, settled, key } = place;
  const type = check.typeOf(id);
  const named = new Set(
    (settled === undefined ? [] : check.parentsOf(settled)).map(({ id: receipt }) => receipt),
  );
  const winners = done.filter(({ tail }) => tail.every((receipt) => named.has(receipt)));
  if (winners.length !== node.k)
    check.wrong(key, `${winners.length} alternatives are named, and ${node.k} are asked for`);
  const values = winners.flatMap(({ value }) => {
    const read = check.read(value);
    return read === undefined ? [] : [read];
  });
  if (values.length < winners.length) return onItsWord(check, place, type);
  return same(
    check,
    place,
    check.made(type, values, []),
    winners.flatMap(({ tail }) => tail),
  );
}
