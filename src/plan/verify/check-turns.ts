import type { Cid } from "../../protocol/cid.ts";
import { FailureError } from "../../protocol/failure.ts";
import { isList, isRecord, kindOf, type Value } from "../json-value.ts";
import type { Graph, LoopNode, MapNode, ReduceNode } from "../plan.ts";
import { innerIteration } from "../state/attempts.ts";
import type { ValueType } from "../value-type.ts";
import { checkGraph } from "./check-graph.ts";
import { failedBy, incomplete, onItsWord, same } from "./check-steps.ts";
import type { CheckState, NodeSeen, Seen, SeenPlace } from "./check-state.ts";

function isPlain(type: ValueType): boolean {
  return type.type === "bytes" || type.type === "text";
}

/** The value as another type has it; `undefined` where that takes bytes that are not here. */
export function fitSeen(check: CheckState, seen: Seen, type: ValueType): Seen | undefined {
  if (isPlain(seen.type) === isPlain(type)) return { ...seen, type };
  const value = check.read(seen);
  return value === undefined ? undefined : { ...check.made(type, value, seen.parents), by: seen.by };
}

/** What a graph is given of its node's `with`. */
export function withSeen(
  check: CheckState,
  graph: Graph,
  inputs: ReadonlyMap<string, Seen>,
): Map<string, Seen> {
  const params = new Map<string, Seen>();
  for (const [slot, seen] of inputs) {
    const name = slot.startsWith("with.") ? slot.slice("with.".length) : "";
    const type = graph.params[name];
    const fitted = type === undefined ? undefined : fitSeen(check, seen, type);
    if (fitted !== undefined) params.set(name, fitted);
  }
  return params;
}

function turn(
  check: CheckState,
  place: SeenPlace<MapNode | ReduceNode | LoopNode>,
  index: number,
  added: Readonly<Record<string, (type: ValueType) => Seen | undefined>>,
): ReturnType<typeof checkGraph> {
  const { graph } = place.node;
  const params = withSeen(check, graph, place.inputs);
  for (const [name, make] of Object.entries(added)) {
    const type = graph.params[name];
    const seen = type === undefined ? undefined : make(type);
    if (seen !== undefined) params.set(name, seen);
  }
  return checkGraph(check, graph, innerIteration(place.key.iteration, index), params, place.scope);
}

function listSeen(check: CheckState, place: SeenPlace<MapNode | ReduceNode>): readonly Value[] | undefined {
  const over = place.inputs.get("over");
  const value = over === undefined ? undefined : check.read(over);
  if (value === undefined) return undefined;
  if (!isList(value)) throw new FailureError("expression-failed", `over is ${kindOf(value)} and not a list`);
  if (value.length > place.node.max)
    throw new FailureError("too-large", `${value.length} elements, at most ${place.node.max}`);
  return value;
}

export function checkMap(check: CheckState, place: SeenPlace<MapNode>): NodeSeen {
  const items = listSeen(check, place);
  const type = check.typeOf(place.id);
  if (items === undefined) return onItsWord(check, place, type);
  const parents = place.inputs.get("over")?.parents ?? [];
  const tails: Cid[] = [];
  const values: (Value | undefined)[] = [];
  let failed: Cid | undefined;
  let absent: Extract<ReturnType<typeof checkGraph>, { kind: "absent" }> | undefined;
  for (const [index, item] of items.entries()) {
    const end = turn(check, place, index, {
      item: (of) => check.made(of, item, parents),
      index: (of) => check.made(of, index, []),
    });
    if (end.kind === "failed") failed ??= end.receipt;
    if (end.kind === "absent") absent ??= end;
    if (end.kind !== "done") continue;
    tails.push(...end.tail);
    values.push(check.read(end.value));
  }
  if (failed !== undefined) return failedBy(check, place, failed);
  if (absent !== undefined) return incomplete(check, place, absent);
  const known = values.filter((value) => value !== undefined);
  if (known.length < items.length) return onItsWord(check, place, type);
  return same(check, place, check.made(type, known, []), tails);
}

export function checkReduce(check: CheckState, place: SeenPlace<ReduceNode>): NodeSeen {
  const items = listSeen(check, place);
  const type = check.typeOf(place.id);
  let accumulated = place.inputs.get("initial");
  if (items === undefined || accumulated === undefined) return onItsWord(check, place, type);
  const over = place.inputs.get("over")?.parents ?? [];
  const tails: Cid[] = [];
  for (const [index, item] of items.entries()) {
    const before: Seen = accumulated;
    const end = turn(check, place, index, {
      accumulated: (of) => fitSeen(check, before, of),
      item: (of) => check.made(of, item, over),
      index: (of) => check.made(of, index, []),
    });
    if (end.kind === "failed") return failedBy(check, place, end.receipt);
    if (end.kind === "absent") return incomplete(check, place, end);
    accumulated = end.value;
    tails.push(...end.tail);
  }
  const fitted = fitSeen(check, accumulated, type);
  return fitted === undefined ? onItsWord(check, place, type) : same(check, place, fitted, tails);
}

export function checkLoop(check: CheckState, place: SeenPlace<LoopNode>): NodeSeen {
  const { node, id } = place;
  const type = check.typeOf(id);
  let value = place.inputs.get("initial");
  const tails: Cid[] = [];
  for (let index = 0; index < node.max; index += 1) {
    const before = value;
    const end = turn(check, place, index, {
      value: (of) => (before === undefined ? undefined : fitSeen(check, before, of)),
      turn: (of) => check.made(of, index, []),
    });
    if (end.kind === "failed") return failedBy(check, place, end.receipt);
    if (end.kind === "absent") return incomplete(check, place, end);
    tails.push(...end.tail);
    const said = check.read(end.value);
    if (said === undefined) return onItsWord(check, place, type);
    if (!isRecord(said) || typeof said["done"] !== "boolean" || said["value"] === undefined)
      throw new FailureError(
        "expression-failed",
        `turn ${index} came to ${kindOf(said)} and not to {done, value}`,
      );
    if (said["done"]) return same(check, place, check.made(type, said["value"], []), tails);
    value = check.made(node.graph.params["value"] ?? { type: "json" }, said["value"], end.value.parents);
  }
  throw new FailureError("expression-failed", `not done after ${node.max} turns`);
}
