import { failureCode, failureKind } from "../../protocol/failure-code.ts";
import { FailureError } from "../../protocol/failure.ts";
import { kindOf, type ValueRecord } from "../json-value.ts";
import type { AttemptNode, BranchNode, Graph, SubplanNode, TimeoutNode } from "../plan.ts";
import type { Core, Place } from "./core.ts";
import { fail, input, settleAs, together } from "./endings.ts";
import { withParams } from "./inputs.ts";
import type { Ending, GraphEnd, NodeFailure } from "./known.ts";
import { quiet } from "./repeat-kinds.ts";

async function inner(core: Core, place: Place, graph: Graph, signal: AbortSignal): Promise<GraphEnd> {
  const { scope, key } = place;
  const params = await withParams(core, graph, place.inputs);
  return core.graph({ graph, iteration: key.iteration, params, outer: scope, signal });
}

export async function runSubplan(core: Core, place: Place<SubplanNode>): Promise<Ending> {
  return settleAs(core, place, await inner(core, place, place.node.graph, place.scope.signal));
}

export async function runBranch(core: Core, place: Place<BranchNode>): Promise<Ending> {
  const { node, scope } = place;
  const condition = await core.read(input(place, "condition"));
  if (typeof condition !== "boolean")
    throw new FailureError("expression-failed", `the condition is ${kindOf(condition)}, not true or false`);
  return settleAs(
    core,
    place,
    await inner(core, place, condition ? node.then : node.otherwise, scope.signal),
  );
}

/** What a fallback is told. */
export function failureValue({ code, detail, node }: NodeFailure): ValueRecord {
  return { code, name: failureKind(code).name, detail, node };
}

export async function runAttempt(core: Core, place: Place<AttemptNode>): Promise<Ending> {
  const { node, scope, key } = place;
  const end = await inner(core, place, node.graph, scope.signal);
  if (end.kind === "done") return settleAs(core, place, end);
  const params = await withParams(core, node.fallback, place.inputs);
  const type = node.fallback.params["failure"];
  if (type !== undefined) params.set("failure", core.keep(type, failureValue(end.failure), end.tail));
  const { iteration } = key;
  const fallback = await core.graph({
    graph: node.fallback,
    iteration,
    params,
    outer: scope,
    signal: scope.signal,
  });
  return settleAs(core, place, fallback, end.tail);
}

export async function runTimeout(core: Core, place: Place<TimeoutNode>): Promise<Ending> {
  const { node, scope, key } = place;
  const inside = new AbortController();
  const signal = AbortSignal.any([scope.signal, inside.signal]);
  const late = new FailureError("timed-out", `not done within ${node.ms} ms`);
  const clock = core.ports.pause(node.ms, signal).then(
    () => inside.abort(late),
    () => undefined,
  );
  const end = await quiet(inside.signal, inner(core, place, node.graph, signal));
  inside.abort(new FailureError("cancelled", "it was done in time"));
  await clock;
  if (end !== undefined) return settleAs(core, place, end);
  const failure = { ...key, code: failureCode("timed-out"), detail: late.detail };
  return fail(core, key, place.args, together(place.parents), failure);
}
