import { type CompleteNode, consistencyProof, EMPTY_ROOT, HASH_BYTES } from "../../protocol/merkle.ts";
import type { NodeRun } from "../store/books-store.ts";
import { KEPT_NODES } from "./limits.ts";
import { joinHashes } from "./native-hash.ts";

/** The largest complete subtree of each size in the tree, by level; together they cover all leaves. */
type Peaks = readonly (Uint8Array | undefined)[];

function hasBit(size: number, level: number): boolean {
  return Math.floor(size / 2 ** level) % 2 === 1;
}

/** Root over the peaks below `levels`: the smaller ones to the right, hashed first. */
function rootBelow(peaks: Peaks, levels: number): Uint8Array | undefined {
  let root: Uint8Array | undefined;
  for (let level = 0; level < levels; level += 1) {
    const peak = peaks[level];
    if (peak !== undefined) root = root === undefined ? peak : joinHashes(peak, root);
  }
  return root;
}

/** A tree with leaves more than the log, not stored yet. */
export interface Extension {
  readonly size: number;
  readonly root: Uint8Array;
  /** New complete subtrees, in the order of their levels. */
  readonly rows: readonly (readonly Uint8Array[])[];
  readonly runs: readonly NodeRun[];
  readonly peaks: Peaks;
}

/** Hashes of one level that are at hand. */
interface Row {
  first: number;
  hashes: Uint8Array[];
}

/** The relay's log as a Merkle tree (RFC 6962): grows in steps, proves at its newest size. */
export class LogTree {
  readonly #load: (level: number, index: number) => NodeRun | undefined;
  readonly #rows: Row[] = [];
  #peaks: Peaks = [];
  #size = 0;
  #root: Uint8Array = EMPTY_ROOT;
  /** Root over the peaks below each level: the right part of every proof under the peak of that level. */
  #rest: Peaks = [];

  /** @param load reads stored subtrees. @throws RangeError when they do not make the stored root. */
  constructor(load: (level: number, index: number) => NodeRun | undefined, size: number, root: Uint8Array) {
    this.#load = load;
    this.#size = size;
    const peaks: (Uint8Array | undefined)[] = [];
    for (let level = 0; 2 ** level <= size; level += 1) {
      peaks[level] = hasBit(size, level) ? this.node(level, Math.floor(size / 2 ** level) - 1) : undefined;
      this.#rows[level] = { first: Math.floor(size / 2 ** level), hashes: [] };
    }
    this.#peaks = peaks;
    this.#rest = peaks.map((_, level) => rootBelow(peaks, level));
    this.#root = rootBelow(peaks, peaks.length) ?? EMPTY_ROOT;
    if (Buffer.compare(this.#root, root) !== 0)
      throw new RangeError("the stored tree does not make the stored root");
  }

  get size(): number {
    return this.#size;
  }

  get root(): Uint8Array {
    return this.#root;
  }

  /** The tree with these leaf hashes after the present ones. Nothing changes until `grow`. */
  extend(leaves: readonly Uint8Array[]): Extension {
    const peaks = [...this.#peaks];
    const rows: Uint8Array[][] = [];
    let size = this.#size;
    for (const leaf of leaves) {
      let carried = leaf;
      let level = 0;
      for (; ; level += 1) {
        (rows[level] ??= []).push(carried);
        const left = peaks[level];
        if (left === undefined) break;
        carried = joinHashes(left, carried);
        peaks[level] = undefined;
      }
      peaks[level] = carried;
      size += 1;
    }
    const runs = rows.map((row, level) => ({
      level,
      first: Math.floor(this.#size / 2 ** level),
      hashes: Buffer.concat(row),
    }));
    return { size, root: rootBelow(peaks, peaks.length) ?? EMPTY_ROOT, rows, runs, peaks };
  }

  grow({ size, root, rows, peaks }: Extension): void {
    for (const [level, hashes] of rows.entries()) {
      const row = (this.#rows[level] ??= { first: Math.floor(this.#size / 2 ** level), hashes: [] });
      row.hashes.push(...hashes);
      if (row.hashes.length > 2 * KEPT_NODES) {
        row.first += row.hashes.length - KEPT_NODES;
        row.hashes = row.hashes.slice(-KEPT_NODES);
      }
    }
    this.#size = size;
    this.#root = root;
    this.#peaks = peaks;
    this.#rest = peaks.map((_, level) => rootBelow(peaks, level));
  }

  readonly node: CompleteNode = (level, index) => {
    const row = this.#rows[level];
    const kept = row?.hashes[index - row.first];
    if (kept !== undefined) return kept;
    const run = this.#load(level, index);
    const at = run === undefined ? -1 : (index - run.first) * HASH_BYTES;
    if (run === undefined || at < 0 || at + HASH_BYTES > run.hashes.length)
      throw new RangeError(`the log keeps no complete subtree ${index} at level ${level}`);
    return run.hashes.subarray(at, at + HASH_BYTES);
  };

  /** `count` consecutive complete subtrees of a level from `first` on, 32 bytes each. @throws RangeError beyond the tree */
  hashes(level: number, first: number, count: number): Uint8Array<ArrayBuffer> {
    const hashes = new Uint8Array(count * HASH_BYTES);
    for (let at = 0; at < count;) {
      const row = this.#rows[level];
      const kept = row?.hashes[first + at - row.first];
      const run = kept === undefined ? this.#load(level, first + at) : undefined;
      const from = run === undefined ? 0 : (first + at - run.first) * HASH_BYTES;
      const found = kept ?? run?.hashes.subarray(from, from + (count - at) * HASH_BYTES);
      if (found === undefined || found.length === 0)
        throw new RangeError(`the log keeps no complete subtree ${first + at} at level ${level}`);
      hashes.set(found, at * HASH_BYTES);
      at += found.length / HASH_BYTES;
    }
    return hashes;
  }

  /** Audit path of an entry at the newest size, from the leaf up. @throws RangeError beyond it. */
  inclusionProof(index: number): Uint8Array[] {
    if (index < 0 || index >= this.#size) throw new RangeError(`no entry ${index} in a log of ${this.#size}`);
    const top = this.#peakOver(index);
    const path: Uint8Array[] = [];
    for (let level = 0, at = index; level < top; level += 1, at = Math.floor(at / 2))
      path.push(this.node(level, at % 2 === 0 ? at + 1 : at - 1));
    const right = this.#rest[top];
    if (right !== undefined) path.push(right);
    for (const peak of this.#peaks.slice(top + 1)) if (peak !== undefined) path.push(peak);
    return path;
  }

  /** Level of the peak that covers a leaf. */
  #peakOver(index: number): number {
    let start = 0;
    for (let level = this.#peaks.length - 1; level >= 0; level -= 1) {
      if (this.#peaks[level] === undefined) continue;
      start += 2 ** level;
      if (index < start) return level;
    }
    throw new RangeError(`no peak covers entry ${index}`);
  }

  /** @throws RangeError for sizes the log never had. */
  consistencyProof(from: number, to: number): Uint8Array[] {
    if (to > this.#size) throw new RangeError(`the log has ${this.#size} entries`);
    return consistencyProof(this.node, from, to);
  }
}
