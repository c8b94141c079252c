import type { Cid } from "../../protocol/cid.ts";
import { FailureError } from "../../protocol/failure.ts";
import type { NodeId, PlanNode } from "../plan.ts";
import type { StepKey } from "../runner-ports.ts";
import type { Core, Place } from "./core.ts";
import { placeNodes } from "./graph-order.ts";
import { causeOf } from "./cause.ts";
import { argsOf, given, NOTHING, slotsOf, slotType } from "./inputs.ts";
import { fail, FailedInside, together, told } from "./endings.ts";
import type { Ending, Known } from "./known.ts";
import type { Scope } from "./scope.ts";
import { carryOut } from "./kinds.ts";

/** One node from the moment its graph begins to its end. Rejects only for what is a bug, or when the coordinator stops. */
export async function runNode(core: Core, scope: Scope, id: NodeId, node: PlanNode): Promise<Ending> {
  const key: StepKey = { node: id, iteration: scope.iteration };
  const parents: Cid[] = [];
  const blocked = await waitFor(scope, node, parents);
  if (blocked !== undefined) return skip(core, key, [blocked]);
  let place: Place | undefined;
  try {
    scope.signal.throwIfAborted();
    place = await placeOf(core, scope, id, node, parents);
    if (place === undefined) return await skip(core, key, []);
    core.emit({ kind: "ready", ...key, attempt: 0 });
    return (await earlier(core, place)) ?? (await carryOut(core, place));
  } catch (error) {
    core.signal.throwIfAborted();
    if (scope.signal.aborted) return skip(core, key, []);
    if (!(error instanceof FailureError)) throw error;
    const inner = error instanceof FailedInside ? error.receipts : [];
    return fail(core, key, place?.args ?? NOTHING, together(place?.parents ?? [], inner), {
      ...key,
      code: error.code,
      detail: told(error.detail),
    });
  }
}

/** Waits for the nodes that have to end before. @returns the receipt of the first that did not come to anything */
async function waitFor(scope: Scope, node: PlanNode, parents: Cid[]): Promise<Cid | undefined> {
  const named = [
    ...slotsOf(node).flatMap(({ source }) => (source.from === "node" ? [source.node] : [])),
    ...(node.after ?? []),
    ...placeNodes(node),
  ];
  for (const id of named) {
    // oxlint-disable-next-line no-await-in-loop -- all have to end, in whichever order they do
    const ending = await scope.ending(id);
    if (ending === undefined) continue;
    if (ending.kind !== "done") return ending.receipt;
    if (node.after?.includes(id) === true) parents.push(ending.receipt);
  }
  return undefined;
}

async function placeOf(
  core: Core,
  scope: Scope,
  id: NodeId,
  node: PlanNode,
  after: readonly Cid[],
): Promise<Place | undefined> {
  const inputs = new Map<string, Known>();
  for (const { slot, source } of slotsOf(node)) {
    // oxlint-disable-next-line no-await-in-loop -- they have ended
    const known = await given(core, scope, source, slotType(node, slot));
    if (known === undefined) return undefined;
    inputs.set(slot, known);
  }
  const parents = new Set<Cid>([...inputs.values()].flatMap((known) => known.parents));
  for (const receipt of after) parents.add(receipt);
  return {
    id,
    node,
    scope,
    key: { node: id, iteration: scope.iteration },
    args: argsOf(node, inputs, core.digest),
    inputs,
    parents: [...parents],
  };
}

/** Kinds that are not asked what a coordinator settled before: peers' receipts speak for calls, and expressions are computed anew. */
const ALWAYS_ANEW: ReadonlySet<PlanNode["kind"]> = new Set(["call", "effect", "expr"]);

/** What another coordinator, or this one before, made of the node. */
async function earlier(core: Core, { node, id, key, args }: Place): Promise<Ending | undefined> {
  if (ALWAYS_ANEW.has(node.kind)) return undefined;
  const receipt = core.settled(key, args);
  if (receipt === undefined) return undefined;
  const { result, size, status, code, detail } = receipt.step;
  if (status === "failed" && code !== undefined)
    return {
      kind: "failed",
      receipt: receipt.id,
      failure: causeOf(core.state, core.isCoordinator, receipt.id) ?? { ...key, code, detail: detail ?? "" },
    };
  if (result === undefined) return undefined;
  const ref = { cid: result, size, holders: [receipt.key] };
  const value: Known = { ref, type: core.typeOf(id), parents: [receipt.id], by: [receipt.root] };
  // Where its value is gone, it is made again from the steps inside, of which none is done twice.
  return (await core.isThere(value)) ? { kind: "done", receipt: receipt.id, value } : undefined;
}

export async function skip(core: Core, key: StepKey, parents: readonly Cid[]): Promise<Ending> {
  const receipt = await core.settle(key, { status: "skipped", args: NOTHING, parents });
  return { kind: "skipped", receipt: receipt.id };
}
