import type { Cid } from "../../protocol/cid.ts";
import { keyText } from "./attempts.ts";
import type { Receipt } from "./receipt.ts";
import type { RunState } from "./run-state.ts";

/**
 * Whether everything that a receipt follows from is here as well. Of a step that a coordinator settled, the peers' receipts
 * may name others than those that were used in the end: what counts is what the settling step names.
 */
export class Wholeness {
  readonly #state: RunState;
  readonly #known = new Set<Cid>();

  constructor(state: RunState) {
    this.#state = state;
  }

  isWhole(receipt: Receipt): boolean {
    const visited = new Set<Cid>([receipt.id]);
    const open: Receipt[] = [receipt];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      for (const id of next.step.parents) {
        if (visited.has(id) || this.#known.has(id)) continue;
        const [parent] = this.#state.byId(id);
        if (parent === undefined) return false;
        visited.add(id);
        // A peer's receipt under the step that settles it; its own parents are named there.
        if (keyText(parent.step) !== keyText(next.step) || parent.step.status === "skipped")
          open.push(parent);
      }
    }
    for (const id of visited) this.#known.add(id);
    return true;
  }
}
