import { HASH_BYTES } from "../../protocol/merkle.ts";
import { joinHashes } from "../books/native-hash.ts";
import type { BooksStore } from "../store/books-store.ts";

/** Reads the stored hashes of one level in order. */
export class StoredLevel {
  readonly #store: BooksStore;
  readonly #level: number;
  #first = 0;
  #hashes: Uint8Array = new Uint8Array(0);

  constructor(store: BooksStore, level: number) {
    this.#store = store;
    this.#level = level;
  }

  at(index: number): Uint8Array | undefined {
    let from = (index - this.#first) * HASH_BYTES;
    if (from < 0 || from >= this.#hashes.length) {
      const run = this.#store.nodes(this.#level, index);
      if (run === undefined) return undefined;
      this.#first = run.first;
      this.#hashes = run.hashes;
      from = (index - run.first) * HASH_BYTES;
    }
    const hash = this.#hashes.subarray(from, from + HASH_BYTES);
    return hash.length === HASH_BYTES ? hash : undefined;
  }
}

function same(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a !== undefined && b !== undefined && Buffer.compare(a, b) === 0;
}

function levelIsStored(store: BooksStore, level: number, size: number): boolean {
  const below = new StoredLevel(store, level - 1);
  const here = new StoredLevel(store, level);
  const count = Math.floor(size / 2 ** level);
  for (let index = 0; index < count; index += 1) {
    const [left, right] = [below.at(2 * index), below.at(2 * index + 1)];
    if (left === undefined || right === undefined || !same(here.at(index), joinHashes(left, right)))
      return false;
  }
  return true;
}

/** Whether the stored hashes of inner nodes, which proofs and tiles are made of, follow from those of the leaves. */
export function* treeProblems(store: BooksStore, size: number): Generator<string> {
  for (let level = 1; 2 ** level <= size; level += 1)
    if (!levelIsStored(store, level, size))
      yield `a stored hash of level ${level} does not follow from those below`;
}
