import type { FailureName } from "../protocol/failure-code.ts";
import { FailureError } from "../protocol/failure.ts";
import { decodeEntry, entryBodies } from "../protocol/messages/entry.ts";
import type { PeerId } from "../protocol/peer-id.ts";
import { accountViewJson, MAX_RECEIPTS_PER_PAGE, receiptViewJson } from "../protocol/relay-json.ts";
import type { ReceiptView } from "../protocol/relay-api.ts";
import { decode } from "../protocol/schema.ts";
import type { Books } from "./books.ts";
import { MAX_EVENT_STREAMS, MAX_EVENT_STREAMS_PER_ADDRESS, MAX_RESUMED_ENTRIES } from "./limits.ts";

/** One server-sent event. `id` is the index of the log entry it follows from. */
export interface AccountEvent {
  readonly id: number;
  readonly event: "account" | "receipt" | "lapse";
  /** JSON of the view; of a lapse, an empty object. */
  readonly data: string;
}

/** Changes of one account, for one listener. */
export interface Subscription {
  /** What is new, oldest first; empty when nothing came for `waitMs`, undefined once it has ended. */
  next(waitMs: number): Promise<readonly AccountEvent[] | undefined>;
  /** Wakes who waits. Idempotent. */
  end(): void;
}

interface Listener {
  /** Entries of this account that were not told yet. */
  pending: number[];
  /** Whether some of them were left out. */
  lapsed: boolean;
  ended: boolean;
  wake: () => void;
}

/** Turns commits of the books into events for those who listen to an account. */
export class AccountEvents {
  readonly #books: Books;
  readonly #listeners = new Map<PeerId, Set<Listener>>();
  readonly #perAddress = new Map<string, number>();
  readonly #stop: () => void;
  #open = 0;

  constructor(books: Books) {
    this.#books = books;
    this.#stop = books.onCommit(({ entries }) => {
      for (const { index, accounts } of entries) for (const peer of accounts) this.#tell(peer, index);
    });
  }

  /** Event streams open now. */
  get open(): number {
    return this.#open;
  }

  close(): void {
    this.#stop();
    for (const listeners of this.#listeners.values()) {
      for (const listener of listeners) {
        listener.ended = true;
        listener.wake();
      }
    }
  }

  /**
   * Begins with the account as it is; with `lastId`, with what happened after that entry, or, when that is too much, with
   * a lapse and the newest receipts.
   * @throws FailureError `rate-limited` when too many streams are open.
   */
  subscribe(peer: PeerId, address: string, lastId: number | undefined): Subscription {
    this.#admit(address);
    const listener: Listener = { pending: [], lapsed: false, ended: false, wake: () => undefined };
    const listeners = this.#listeners.get(peer) ?? new Set();
    this.#listeners.set(peer, listeners.add(listener));
    let first: readonly AccountEvent[] | undefined = [...this.#missed(peer, lastId), this.#account(peer)];
    let left = false;
    return {
      next: async (waitMs) => {
        const begin = first;
        first = undefined;
        if (begin !== undefined) return begin;
        await untilWoken(listener, waitMs);
        if (listener.ended) return undefined;
        const told = listener.pending.splice(0);
        if (told.length === 0) return [];
        const lapse = listener.lapsed ? this.#lapse(peer) : this.#receipts(peer, told);
        listener.lapsed = false;
        return [...lapse, this.#account(peer)];
      },
      end: () => {
        if (left) return;
        left = true;
        listener.ended = true;
        this.#leave(peer, listener, address);
      },
    };
  }

  #admit(address: string): void {
    const mine = this.#perAddress.get(address) ?? 0;
    if (this.#open >= MAX_EVENT_STREAMS || mine >= MAX_EVENT_STREAMS_PER_ADDRESS)
      throw new FailureError("rate-limited" satisfies FailureName, "too many event streams are open");
    this.#open += 1;
    this.#perAddress.set(address, mine + 1);
  }

  #leave(peer: PeerId, listener: Listener, address: string): void {
    const listeners = this.#listeners.get(peer);
    listeners?.delete(listener);
    if (listeners?.size === 0) this.#listeners.delete(peer);
    this.#open -= 1;
    const left = (this.#perAddress.get(address) ?? 1) - 1;
    if (left === 0) this.#perAddress.delete(address);
    else this.#perAddress.set(address, left);
    listener.wake();
  }

  #tell(peer: PeerId, index: number): void {
    for (const listener of this.#listeners.get(peer) ?? []) {
      listener.pending.push(index);
      // A listener that does not read learns that it has missed something, and the newest receipts.
      if (listener.pending.length > MAX_RESUMED_ENTRIES) {
        listener.pending.splice(0, MAX_RESUMED_ENTRIES / 2);
        listener.lapsed = true;
      }
      listener.wake();
    }
  }

  #account(peer: PeerId): AccountEvent {
    const account = this.#books.account(peer);
    const data = JSON.stringify(accountViewJson.write(account));
    return { id: Math.max(0, account.logSize - 1), event: "account", data };
  }

  #missed(peer: PeerId, lastId: number | undefined): readonly AccountEvent[] {
    if (lastId === undefined) return [];
    const size = this.#books.size();
    if (size - lastId - 1 > MAX_RESUMED_ENTRIES) return this.#lapse(peer);
    const missed: number[] = [];
    for (let index = lastId + 1; index < size; index += 1) missed.push(index);
    return this.#receipts(peer, missed);
  }

  /** Says that there is a gap, and gives the newest receipts after it. */
  #lapse(peer: PeerId): readonly AccountEvent[] {
    const newest = this.#books.receipts(peer, undefined, MAX_RECEIPTS_PER_PAGE).toReversed();
    const id = newest[0]?.entryIndex ?? Math.max(0, this.#books.size() - 1);
    return [
      { id, event: "lapse", data: "{}" },
      ...newest.map((receipt) => receiptEvent(receipt.entryIndex, receipt)),
    ];
  }

  #receipts(peer: PeerId, indices: readonly number[]): readonly AccountEvent[] {
    const events: AccountEvent[] = [];
    for (const index of indices) {
      const receipt = this.#receiptBehind(peer, index);
      if (receipt !== undefined) events.push(receiptEvent(index, receipt));
    }
    return events;
  }

  /** The receipt of this account that an entry logs or settles, unless a later one of the same lease has taken its place. */
  #receiptBehind(peer: PeerId, index: number): ReceiptView | undefined {
    const bytes = this.#books.entry(index);
    if (bytes === undefined) return undefined;
    const entry = decodeEntry(bytes);
    if (entry.type === "receipt") return this.#receiptAt(peer, index);
    if (entry.type !== "settle" || entry.body === undefined) return undefined;
    const { provider, receiptIndex } = decode(entryBodies.settle, entry.body);
    return provider === peer && receiptIndex !== undefined ? this.#receiptAt(peer, receiptIndex) : undefined;
  }

  #receiptAt(peer: PeerId, index: number): ReceiptView | undefined {
    const [receipt] = this.#books.receipts(peer, index + 1, 1);
    return receipt?.entryIndex === index ? receipt : undefined;
  }
}

function receiptEvent(id: number, receipt: ReceiptView): AccountEvent {
  return { id, event: "receipt", data: JSON.stringify(receiptViewJson.write(receipt)) };
}

/** Resolves at the next change, or at once when there is one already. */
async function untilWoken(listener: Listener, waitMs: number): Promise<void> {
  if (listener.pending.length > 0 || listener.ended) return;
  await new Promise<void>((resolve) => {
    const timer = setTimeout(done, waitMs);
    function done(): void {
      clearTimeout(timer);
      listener.wake = () => undefined;
      resolve();
    }
    listener.wake = done;
  });
}
