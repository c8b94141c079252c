import type { Cid } from "../../protocol/cid.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import { isSettling } from "../state/attempts.ts";
import type { RunState } from "../state/run-state.ts";
import type { NodeFailure } from "./known.ts";

/** The failure that a failed step followed from: the innermost that a coordinator settled. */
export function causeOf(
  state: RunState,
  isCoordinator: (root: PeerId) => boolean,
  id: Cid,
): NodeFailure | undefined {
  const receipt = state.byId(id).find(({ root }) => isCoordinator(root));
  if (receipt === undefined || !isSettling(receipt.step.attempt)) return undefined;
  const { node, iteration, code, detail = "", parents } = receipt.step;
  if (code === undefined) return undefined;
  for (const parent of parents) {
    const inner = causeOf(state, isCoordinator, parent);
    if (inner !== undefined) return inner;
  }
  const peer = parents
    .flatMap((parent) => state.byId(parent))
    .find(({ step }) => step.status === "failed")?.root;
  return { node, iteration, code, detail, ...(peer === undefined ? {} : { peer }) };
}
