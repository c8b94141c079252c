import type { Cid } from "../../protocol/cid.ts";
import { FailureError } from "../../protocol/failure.ts";
import { clipText } from "../../protocol/text.ts";
import type { StepKey } from "../runner-ports.ts";
import type { ValueType } from "../value-type.ts";
import type { Core, Place } from "./core.ts";
import { fit } from "./inputs.ts";
import type { Ending, GraphEnd, Known, NodeFailure } from "./known.ts";

/** Input of a node by its slot. The plan was checked, so it is there. */
export function input(place: Place, slot: string): Known {
  const known = place.inputs.get(slot);
  if (known === undefined) throw new FailureError("plan-refused", `${place.id}: nothing is given as ${slot}`);
  return known;
}

/** Receipts without repetition, in order. */
export function together(...lists: readonly (readonly Cid[])[]): readonly Cid[] {
  return [...new Set(lists.flat())];
}

/** The coordinator settles that a node came to this value. */
export async function settleDone(
  core: Core,
  place: Place,
  value: Known,
  parents: readonly Cid[],
): Promise<Ending> {
  const receipt = await core.settle(place.key, { status: "done", args: place.args, parents, result: value });
  return { kind: "done", receipt: receipt.id, value: { ...value, parents: [receipt.id] } };
}

/** A node is what its inner graph came to. @param before receipts of what was tried before */
export async function settleAs(
  core: Core,
  place: Place,
  end: GraphEnd,
  before: readonly Cid[] = [],
): Promise<Ending> {
  const parents = together(place.parents, before, end.tail);
  if (end.kind === "failed")
    return fail(core, place.key, place.args, together(end.tail, place.parents, before), end.failure);
  const type: ValueType = core.typeOf(place.id);
  const value = await fit(core, end.value, type);
  return settleDone(core, place, value, parents);
}

/** A node's own failure after some of its inner steps: its receipt names them. */
export class FailedInside extends FailureError {
  static override readonly name = "FailureError";
  readonly receipts: readonly Cid[];

  constructor(error: FailureError, receipts: readonly Cid[]) {
    super(error.code, error.detail, { cause: error });
    this.receipts = receipts;
  }
}

/** Does what a node does inside of itself. @param receipts of its inner steps so far, which grow while it works */
export async function inside(receipts: readonly Cid[], work: () => Promise<Ending>): Promise<Ending> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof FailureError)) throw error;
    throw new FailedInside(error, [...receipts]);
  }
}

/** A failure's words as receipts and fallbacks have them: UTF-8 bytes at most. */
const MAX_TOLD_BYTES = 400;

export function told(detail: string): string {
  return clipText(detail, MAX_TOLD_BYTES);
}

/** A node failed by itself, or because of what is inside of it. */
export async function fail(
  core: Core,
  key: StepKey,
  args: Cid,
  parents: readonly Cid[],
  failure: NodeFailure,
): Promise<Ending> {
  const { code, detail } = failure;
  const receipt = await core.settle(key, { status: "failed", args, parents, code, detail });
  return { kind: "failed", receipt: receipt.id, failure };
}
