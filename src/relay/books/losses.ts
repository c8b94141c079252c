import { decodeEntryOf } from "../../protocol/messages/entry.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import { type MicroCredits, microCredits } from "../../protocol/units.ts";
import type { BooksStore } from "../store/books-store.ts";

const NOTHING = microCredits(0);

/**
 * What providers have lost because an audit failed: pay that went back, and bond that was burnt. Summed up from the log's
 * own entries, of which there are few: one for each lease that a sentence was carried out on.
 */
export class Losses {
  readonly #store: Pick<BooksStore, "entriesOf" | "entry">;
  readonly #sums = new Map<PeerId, bigint>();

  constructor(store: Pick<BooksStore, "entriesOf" | "entry">) {
    this.#store = store;
    for (const index of store.entriesOf("forfeit")) this.count(index);
  }

  /** Takes in a forfeit entry that was logged since. */
  count(index: number): void {
    const bytes = this.#store.entry(index);
    if (bytes === undefined) throw new RangeError(`the log keeps no entry ${index}`);
    const { provider, refunded, burnt } = decodeEntryOf("forfeit", bytes).body;
    this.#sums.set(provider, (this.#sums.get(provider) ?? 0n) + refunded + burnt);
  }

  of(provider: PeerId): MicroCredits {
    const sum = this.#sums.get(provider);
    return sum === undefined ? NOTHING : microCredits(sum);
  }
}
