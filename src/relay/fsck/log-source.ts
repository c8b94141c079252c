import type { Replay } from "../../ledger/replay.ts";

/** A log to be read from its beginning, wherever it is kept. */
export interface LogSource {
  /** Where it is, as a person knows it. */
  readonly place: string;
  /** What it says of itself: how many entries, under which root. */
  readonly head: { readonly size: number; readonly root: Uint8Array };
  /** The signed note that says so; absent where a relay's own folder is read, which keeps none. */
  readonly note?: string;
  /** The entries below the head, in order. @throws when some are missing or cannot be read. */
  entries(): AsyncIterable<readonly Uint8Array[]>;
  /** The leaf hash kept for an entry, where hashes are kept beside the entries. Asked in order. */
  storedLeaf?(index: number): Uint8Array | undefined;
  /** What is kept beside the entries and does not agree with them, in words. */
  problemsBeside?(replay: Replay): Iterable<string>;
  close(): void;
}
