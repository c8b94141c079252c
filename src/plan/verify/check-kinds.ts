import { failureCode } from "../../protocol/failure-code.ts";
import { evaluate } from "../expression/evaluate.ts";
import { isList, isRecord, type Value } from "../json-value.ts";
import type {
  CallNode,
  DelayNode,
  EffectNode,
  ExprNode,
  FailNode,
  ObserveNode,
  PlanNode,
  StreamNode,
} from "../plan.ts";
import { asJson } from "../runner/plain-kinds.ts";
import type { StepOrder } from "../runner-ports.ts";
import { checkAgent } from "./check-agent.ts";
import {
  checkAttempt,
  checkBranch,
  checkRetry,
  checkSelect,
  checkSubplan,
  checkTimeout,
} from "./check-choices.ts";
import { nodeIn, sourceIn } from "./check-graph.ts";
import type { CheckState, NodeSeen, Seen, SeenPlace } from "./check-state.ts";
import { checkRemote, onItsWord, same } from "./check-steps.ts";
import { checkLoop, checkMap, checkReduce } from "./check-turns.ts";

function narrow<N extends PlanNode>(place: SeenPlace, node: N): SeenPlace<N> {
  return { ...place, node };
}

/** The rules of a node's kind. What it fails with by itself comes as a FailureError. */
export function checkKind(check: CheckState, place: SeenPlace): NodeSeen {
  const { node } = place;
  switch (node.kind) {
    case "call":
      return peerStep(check, narrow(place, node), "input", { kind: "call", callee: node.callee });
    case "effect":
      return peerStep(check, narrow(place, node), "request", { kind: "effect", capability: node.capability });
    case "agent":
      return checkAgent(check, narrow(place, node));
    case "expr":
      return checkExpr(check, narrow(place, node));
    case "map":
      return checkMap(check, narrow(place, node));
    case "reduce":
      return checkReduce(check, narrow(place, node));
    case "branch":
      return checkBranch(check, narrow(place, node));
    case "select":
      return checkSelect(check, narrow(place, node));
    case "attempt":
      return checkAttempt(check, narrow(place, node));
    case "retry":
      return checkRetry(check, narrow(place, node));
    case "timeout":
      return checkTimeout(check, narrow(place, node));
    case "delay":
      return checkDelay(check, narrow(place, node));
    case "loop":
      return checkLoop(check, narrow(place, node));
    case "subplan":
      return checkSubplan(check, narrow(place, node));
    case "observe":
      return checkObserve(check, narrow(place, node));
    case "stream":
      return checkStream(check, narrow(place, node));
    case "fail":
      return checkFail(check, narrow(place, node));
    default:
      return node satisfies never;
  }
}

function peerStep(
  check: CheckState,
  place: SeenPlace<CallNode | EffectNode>,
  slot: string,
  what: StepOrder["what"],
): NodeSeen {
  const input = place.inputs.get(slot);
  if (input === undefined) return { kind: "absent" };
  return checkRemote(check, place, {
    ...place.key,
    what,
    input,
    output: place.node.output,
    parents: place.parents,
  });
}

function checkExpr(check: CheckState, place: SeenPlace<ExprNode>): NodeSeen {
  const names: Record<string, Value> = {};
  const type = check.typeOf(place.id);
  for (const [slot, seen] of place.inputs) {
    const value = check.read(seen);
    if (value === undefined) return onItsWord(check, place, type);
    names[slot.slice("with.".length)] = value;
  }
  return same(check, place, check.made(type, evaluate(place.node.expression, names), []));
}

function checkDelay(check: CheckState, place: SeenPlace<DelayNode>): NodeSeen {
  const value = place.inputs.get("value");
  return value === undefined ? { kind: "absent" } : same(check, place, value);
}

function checkFail(check: CheckState, { settled, key }: SeenPlace<FailNode>): NodeSeen {
  if (settled === undefined) return { kind: "absent" };
  if (settled.step.status !== "failed" || settled.step.code !== failureCode("expression-failed"))
    check.wrong(key, "it fails by the plan, and its receipt says otherwise");
  return { kind: "failed", receipt: settled.id };
}

/** What was seen is the coordinator's word; that it had ended so is in the receipts that it names. */
function checkObserve(check: CheckState, place: SeenPlace<ObserveNode>): NodeSeen {
  const { node, settled, scope, key, id } = place;
  if (settled?.step.result === undefined) return { kind: "absent" };
  const type = check.typeOf(id);
  const value = check.seen(settled.step.result, type, { parents: [settled.id], by: [settled.root] });
  const rows = check.read(value);
  if (rows === undefined || !isList(rows)) return onItsWord(check, place, type);
  for (const row of rows) {
    const watched = isRecord(row) && typeof row["node"] === "string" ? row["node"] : "";
    const seen = nodeIn(check, scope, watched);
    const isDone = isRecord(row) && row["done"] === true;
    if (!node.of.includes(watched)) check.wrong(key, `it saw ${watched}, which it does not watch`);
    else if (isDone !== (seen.kind === "done"))
      check.wrong(key, `it says of ${watched} what its receipt does not`);
    else if (seen.kind === "done") {
      check.requireParents(settled, [seen.receipt]);
      const read = check.read(seen.value);
      const told = isRecord(row) ? row["value"] : undefined;
      if (read !== undefined && told !== undefined && !alike(check, asJson(read), told))
        check.wrong(key, `it shows another value of ${watched}`);
    }
  }
  return { kind: "done", receipt: settled.id, value };
}

function alike(check: CheckState, a: Value, b: Value): boolean {
  const json = { type: "json" } as const;
  return check.made(json, a, []).cid === check.made(json, b, []).cid;
}

/** In which order they came is the coordinator's word, and the order of the receipts that it names. */
function checkStream(check: CheckState, place: SeenPlace<StreamNode>): NodeSeen {
  const { node, settled, scope, key, id } = place;
  if (settled === undefined) return { kind: "absent" };
  const type = check.typeOf(id);
  const order = check.parentsOf(settled).map(({ id: receipt }) => receipt);
  const came: { readonly place: number; readonly seen: Seen }[] = [];
  for (const source of node.of) {
    const seen = sourceIn(check, scope, source);
    const [receipt] = seen?.parents ?? [];
    if (seen === undefined) continue;
    const at = source.from === "node" && receipt !== undefined ? order.indexOf(receipt) : -1;
    if (source.from !== "node" || at >= 0) came.push({ place: at, seen });
  }
  if (came.length > node.max) check.wrong(key, `${came.length} values came, and at most ${node.max} may`);
  const values = came
    .toSorted((a, b) => a.place - b.place)
    .slice(0, node.max)
    .map(({ seen }) => check.read(seen));
  const known = values.filter((value) => value !== undefined);
  if (known.length < values.length) return onItsWord(check, place, type);
  return same(check, place, check.made(type, known, []));
}
