import { EMPTY_ROOT, type Join, nodeHash } from "../protocol/merkle.ts";

/** Root of a tree that only grows, kept as its complete subtrees: 64 hashes at most, whatever its size. */
export class GrowingRoot {
  readonly #join: Join;
  /** The complete subtree of each level where the size has that bit. */
  readonly #peaks: (Uint8Array | undefined)[] = [];
  #size = 0;

  /** @param join the runtime's own hashing of nodes, where it is faster. */
  constructor(join: Join = nodeHash) {
    this.#join = join;
  }

  get size(): number {
    return this.#size;
  }

  /** @param leaf hash of the next leaf. */
  append(leaf: Uint8Array): void {
    let carried = leaf;
    let level = 0;
    for (let left = this.#peaks[level]; left !== undefined; left = this.#peaks[level]) {
      carried = this.#join(left, carried);
      this.#peaks[level] = undefined;
      level += 1;
    }
    this.#peaks[level] = carried;
    this.#size += 1;
  }

  root(): Uint8Array {
    let root: Uint8Array | undefined;
    for (const peak of this.#peaks)
      if (peak !== undefined) root = root === undefined ? peak : this.#join(peak, root);
    return root ?? EMPTY_ROOT;
  }
}
