import { type CompleteNode, inclusionProof, nodeHash, rootOf } from "../protocol/merkle.ts";

/**
 * A tree that grows at its end and forgets its beginning: it proves the leaves from `start` on, and holds of those before
 * only the complete subtrees that their paths lead through, at most one for each level.
 */
export class TreeTail {
  readonly #levels: Map<number, Uint8Array>[] = [];
  #start: number;
  #size: number;

  /** @param frontier as `frontier` gave it at `start`. @throws RangeError unless there is one hash for each set bit of `start`. */
  constructor(start: number = 0, frontier: readonly Uint8Array[] = []) {
    this.#start = start;
    this.#size = start;
    const places = frontierPlaces(start);
    if (places.length !== frontier.length) throw new RangeError(`no frontier of a tree of ${start}`);
    for (const [at, { level, index }] of places.entries()) {
      const hash = frontier[at];
      if (hash !== undefined) this.#row(level).set(index, hash);
    }
  }

  /** Leaves before it are forgotten. */
  get start(): number {
    return this.#start;
  }

  get size(): number {
    return this.#size;
  }

  /** @param hash a leaf hash (see leafHash). */
  append(hash: Uint8Array): void {
    let carried = hash;
    let index = this.#size;
    this.#size += 1;
    for (let level = 0; ; level += 1) {
      const row = this.#row(level);
      row.set(index, carried);
      const left = row.get(index - 1);
      if (index % 2 === 0 || left === undefined) return;
      carried = nodeHash(left, carried);
      index = (index - 1) / 2;
    }
  }

  /** Forgets the leaves below `start`; nothing where they are forgotten already. @throws RangeError beyond the tree. */
  forgetBelow(start: number): void {
    if (start <= this.#start) return;
    if (start > this.#size) throw new RangeError(`no leaf ${start} in a tree of ${this.#size}`);
    const kept = frontierPlaces(start).map(({ level, index }) => `${level} ${index}`);
    const wanted = new Set(kept);
    for (const [level, row] of this.#levels.entries()) {
      const width = 2 ** level;
      for (const index of row.keys()) {
        if ((index + 1) * width > start) break;
        if (!wanted.has(`${level} ${index}`)) row.delete(index);
      }
    }
    this.#start = start;
  }

  /** The complete subtrees over the forgotten leaves, smallest first. */
  frontier(): readonly Uint8Array[] {
    return frontierPlaces(this.#start).map(({ level, index }) => this.#node(level, index));
  }

  /** @param size not below `start`. */
  root(size: number = this.#size): Uint8Array {
    return rootOf(this.#node, size);
  }

  /** Path of a leaf from `start` on in the tree of the first `size` leaves. @throws RangeError for others. */
  path(index: number, size: number): Uint8Array[] {
    return inclusionProof(this.#node, index, size);
  }

  readonly #node: CompleteNode = (level, index) => {
    const hash = this.#levels[level]?.get(index);
    if (hash === undefined) throw new RangeError(`subtree ${index} at level ${level} is not kept`);
    return hash;
  };

  #row(level: number): Map<number, Uint8Array> {
    for (let at = this.#levels.length; at <= level; at += 1) this.#levels.push(new Map());
    return this.#levels[level] ?? new Map<number, Uint8Array>();
  }
}

/** Where the complete subtrees are that the first `size` leaves split into, smallest first. */
function frontierPlaces(size: number): readonly { readonly level: number; readonly index: number }[] {
  const places: { level: number; index: number }[] = [];
  for (let level = 0, rest = size; rest > 0; level += 1) {
    if (rest % 2 === 1) places.push({ level, index: rest - 1 });
    rest = Math.floor(rest / 2);
  }
  return places;
}
