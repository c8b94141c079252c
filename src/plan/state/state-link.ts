import type { Cid } from "../../protocol/cid.ts";
import type { RunState } from "./run-state.ts";

/** Envelopes of one message, bytes together: below a stream's frame with room for its head. */
const MAX_DELTA_BYTES: number = 56 * 1024;

/**
 * What one link to a peer still has to carry: receipts that came here since it was asked last, except those that came from
 * there. Its cost is that of what is new, however long the run has been.
 */
export class StateLink {
  readonly #state: RunState;
  #cursor = 0;
  readonly #theirs = new Set<Cid>();

  constructor(state: RunState) {
    this.#state = state;
  }

  /** Told what the peer sent, so that it is not sent back. */
  heard(ids: Iterable<Cid>): void {
    for (const id of ids) this.#theirs.add(id);
  }

  get isBehind(): boolean {
    return this.#cursor < this.#state.size;
  }

  /** Envelopes to send now, at most MAX_DELTA_BYTES of them (or one); none when there is nothing new. */
  next(): readonly Uint8Array[] {
    const sending: Uint8Array[] = [];
    let size = 0;
    while (this.isBehind) {
      const [receipt] = this.#state.since(this.#cursor, 1);
      if (receipt === undefined) break;
      const isTheirs = this.#theirs.delete(receipt.id);
      if (!isTheirs) {
        size += receipt.envelope.length;
        if (sending.length > 0 && size > MAX_DELTA_BYTES) break;
        sending.push(receipt.envelope);
      }
      this.#cursor += 1;
    }
    return sending;
  }
}
