import type { Cid } from "../../protocol/cid.ts";
import { FailureError } from "../../protocol/failure.ts";
import { isList, isRecord, kindOf, type Value } from "../json-value.ts";
import type { LoopNode, MapNode, ReduceNode, RetryNode } from "../plan.ts";
import { innerIteration } from "../state/attempts.ts";
import type { ValueType } from "../value-type.ts";
import type { Core, Place } from "./core.ts";
import { fail, input, inside, settleAs, settleDone, together } from "./endings.ts";
import { fit, withParams } from "./inputs.ts";
import type { Ending, GraphEnd, Known } from "./known.ts";
import { mayPass } from "./passing.ts";

/** Parameters of one turn: what is in `with`, and what the kind adds where the graph asks for it. */
async function turnParams(
  core: Core,
  place: Place<MapNode | ReduceNode | LoopNode>,
  added: Readonly<Record<string, (type: ValueType) => Known | Promise<Known>>>,
): Promise<ReadonlyMap<string, Known>> {
  const { graph } = place.node;
  const params = await withParams(core, graph, place.inputs);
  for (const [name, make] of Object.entries(added)) {
    const type = graph.params[name];
    // oxlint-disable-next-line no-await-in-loop -- at most one of them waits
    if (type !== undefined) params.set(name, await make(type));
  }
  return params;
}

async function listOf(core: Core, place: Place<MapNode | ReduceNode>): Promise<readonly Value[]> {
  const value = await core.read(input(place, "over"));
  if (!isList(value)) throw new FailureError("expression-failed", `over is ${kindOf(value)} and not a list`);
  if (value.length > place.node.max)
    throw new FailureError("too-large", `${value.length} elements, at most ${place.node.max}`);
  return value;
}

export async function runMap(core: Core, place: Place<MapNode>): Promise<Ending> {
  const { node, scope, id, key } = place;
  const items = await listOf(core, place);
  const { parents } = input(place, "over");
  const ends: GraphEnd[] = [];
  const others = new AbortController();
  const signal = AbortSignal.any([scope.signal, others.signal]);
  let next = 0;
  let failed: GraphEnd | undefined;
  const lane = async (): Promise<void> => {
    while (next < items.length && failed === undefined) {
      const index = next;
      next += 1;
      const item = items[index] ?? null;
      // oxlint-disable-next-line no-await-in-loop -- a lane is one after the other
      const params = await turnParams(core, place, {
        item: (type) => core.keep(type, item, parents),
        index: (type) => core.keep(type, index, []),
      });
      // oxlint-disable-next-line no-await-in-loop
      const end = await quiet(
        others.signal,
        core.graph({
          graph: node.graph,
          iteration: innerIteration(key.iteration, index),
          params,
          outer: scope,
          turns: items.length,
          signal,
        }),
      );
      if (end === undefined) return;
      ends[index] = end;
      if (end.kind !== "failed" || failed !== undefined) continue;
      failed = end;
      others.abort(new FailureError("cancelled", `element ${index} failed`));
    }
  };
  await Promise.all(Array.from({ length: Math.min(node.parallel, items.length) }, lane));
  if (failed !== undefined) return settleAs(core, place, failed);
  const tails = ends.flatMap((end) => end.tail);
  return inside(tails, async () => {
    const values: Value[] = [];
    for (const end of ends) {
      if (end.kind !== "done") continue;
      // oxlint-disable-next-line no-await-in-loop -- as a rule they are here
      values.push(await core.read(end.value));
    }
    const value = core.keep(core.typeOf(id), values, []);
    return settleDone(core, place, value, together(place.parents, tails));
  });
}

/** What a graph came to; `undefined` when it was aborted by what stands beside it. */
export async function quiet(beside: AbortSignal, running: Promise<GraphEnd>): Promise<GraphEnd | undefined> {
  try {
    return await running;
  } catch (error) {
    if (beside.aborted && error === beside.reason) return undefined;
    throw error;
  }
}

export async function runReduce(core: Core, place: Place<ReduceNode>): Promise<Ending> {
  const { node, scope, key } = place;
  const items = await listOf(core, place);
  const over = input(place, "over").parents;
  let accumulated = input(place, "initial");
  const tails: (readonly Cid[])[] = [];
  for (const [index, item] of items.entries()) {
    const before = accumulated;
    // oxlint-disable-next-line no-await-in-loop -- from left to right
    const params = await turnParams(core, place, {
      accumulated: async (type) => fit(core, before, type),
      item: (type) => core.keep(type, item, over),
      index: (type) => core.keep(type, index, []),
    });
    // oxlint-disable-next-line no-await-in-loop
    const end = await core.graph({
      graph: node.graph,
      iteration: innerIteration(key.iteration, index),
      params,
      outer: scope,
      turns: items.length,
      signal: scope.signal,
    });
    if (end.kind === "failed") return settleAs(core, place, end, together(...tails));
    accumulated = end.value;
    tails.push(end.tail);
  }
  return settleAs(core, place, { kind: "done", value: accumulated, tail: together(...tails) });
}

export async function runLoop(core: Core, place: Place<LoopNode>): Promise<Ending> {
  const tails: Cid[] = [];
  return inside(tails, async () => turnsOf(core, place, tails));
}

async function turnsOf(core: Core, place: Place<LoopNode>, tails: Cid[]): Promise<Ending> {
  const { node, scope, key, id } = place;
  let value = input(place, "initial");
  for (let turn = 0; turn < node.max; turn += 1) {
    const before = value;
    // oxlint-disable-next-line no-await-in-loop -- one turn after the other
    const params = await turnParams(core, place, {
      value: async (type) => fit(core, before, type),
      turn: (type) => core.keep(type, turn, []),
    });
    // oxlint-disable-next-line no-await-in-loop
    const end = await core.graph({
      graph: node.graph,
      iteration: innerIteration(key.iteration, turn),
      params,
      outer: scope,
      turns: node.max,
      signal: scope.signal,
    });
    if (end.kind === "failed") return settleAs(core, place, end, tails);
    tails.push(...end.tail);
    // oxlint-disable-next-line no-await-in-loop
    const said = await core.read(end.value);
    if (!isRecord(said) || typeof said["done"] !== "boolean" || said["value"] === undefined)
      throw new FailureError(
        "expression-failed",
        `turn ${turn} came to ${kindOf(said)} and not to {done, value}`,
      );
    const type = said["done"] ? core.typeOf(id) : (node.graph.params["value"] ?? { type: "json" as const });
    value = core.keep(type, said["value"], end.value.parents);
    if (said["done"]) return settleDone(core, place, value, together(place.parents, tails));
  }
  throw new FailureError("expression-failed", `not done after ${node.max} turns`);
}

export async function runRetry(core: Core, place: Place<RetryNode>): Promise<Ending> {
  const { node, scope, key } = place;
  const params = await withParams(core, node.graph, place.inputs);
  const before: Cid[] = [];
  for (let attempt = 0; ; attempt += 1) {
    // oxlint-disable-next-line no-await-in-loop -- one attempt after the other
    const end = await core.graph({
      graph: node.graph,
      iteration: innerIteration(key.iteration, attempt),
      params,
      outer: scope,
      turns: node.attempts,
      signal: scope.signal,
    });
    if (end.kind === "done") return settleAs(core, place, end, before);
    if (attempt + 1 >= node.attempts || !mayPass(end.failure.code))
      return fail(core, key, place.args, together(end.tail, place.parents, before), end.failure);
    before.push(...end.tail);
    // oxlint-disable-next-line no-await-in-loop
    await core.ports.pause(node.backoffMs * 2 ** attempt, scope.signal);
  }
}
