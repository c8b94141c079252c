import { sha256 } from "@noble/hashes/sha2.js";
import { equalBytes } from "./bytes.ts";

/**
 * RFC 6962 Merkle trees (SHA-256; leaf = H(0x00 ‖ data), inner = H(0x01 ‖ left ‖ right)). Used three times: the relay's
 * log, the outcomes of a lease, and the tasks a requester names. Sizes and indices are safe integers.
 */
export const HASH_BYTES = 32;

/** A stored hash of a complete subtree: `level` 0 is a leaf; it covers leaves [index·2^level, (index+1)·2^level). */
export type CompleteNode = (level: number, index: number) => Uint8Array;

/** Root of the empty tree: SHA-256 of nothing. */
export const EMPTY_ROOT: Uint8Array = sha256(new Uint8Array(0));

export function leafHash(data: Uint8Array): Uint8Array {
  const prefixed = new Uint8Array(data.length + 1);
  prefixed.set(data, 1);
  return sha256(prefixed);
}

/** Hash over two children: nodeHash, or the same by a runtime that hashes faster. */
export type Join = (left: Uint8Array, right: Uint8Array) => Uint8Array;

export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  const joined = new Uint8Array(1 + 2 * HASH_BYTES);
  joined[0] = 1;
  joined.set(left, 1);
  joined.set(right, 1 + HASH_BYTES);
  return sha256(joined);
}

/** Largest power of two below `n`, as an exponent; n ≥ 2. */
function splitLevel(n: number): number {
  let level = 0;
  while (2 ** (level + 1) < n) level += 1;
  return level;
}

/** Hash over leaves [start, end), where start is a multiple of the largest power of two not above the length. */
function rangeHash(node: CompleteNode, start: number, end: number): Uint8Array {
  const length = end - start;
  if (length === 1) return node(0, start);
  const level = splitLevel(length);
  if (2 ** (level + 1) === length) return node(level + 1, start / length);
  const middle = start + 2 ** level;
  return nodeHash(node(level, start / 2 ** level), rangeHash(node, middle, end));
}

/** Root over the first `size` leaves. */
export function rootOf(node: CompleteNode, size: number): Uint8Array {
  return size === 0 ? EMPTY_ROOT : rangeHash(node, 0, size);
}

/** Audit path of leaf `index` in the tree of `size` leaves, from the leaf up. @throws RangeError outside the tree. */
export function inclusionProof(node: CompleteNode, index: number, size: number): Uint8Array[] {
  if (index < 0 || index >= size) throw new RangeError(`no leaf ${index} in a tree of ${size}`);
  const path: Uint8Array[] = [];
  let start = 0;
  let end = size;
  while (end - start > 1) {
    const middle = start + 2 ** splitLevel(end - start);
    if (index < middle) {
      path.push(rangeHash(node, middle, end));
      end = middle;
    } else {
      path.push(rangeHash(node, start, middle));
      start = middle;
    }
  }
  return path.toReversed();
}

/** Proof that the tree of `to` leaves extends that of `from` leaves; empty when from is 0 or equals to. */
export function consistencyProof(node: CompleteNode, from: number, to: number): Uint8Array[] {
  if (from < 0 || from > to) throw new RangeError(`no tree of ${from} within one of ${to}`);
  if (from === 0 || from === to) return [];
  const path: Uint8Array[] = [];
  let start = 0;
  let end = to;
  while (from !== end) {
    const middle = start + 2 ** splitLevel(end - start);
    if (from <= middle) {
      path.push(rangeHash(node, middle, end));
      end = middle;
    } else {
      path.push(rangeHash(node, start, middle));
      start = middle;
    }
  }
  if (start !== 0) path.push(rangeHash(node, start, end));
  return path.toReversed();
}

function isSize(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function allHashes(proof: readonly Uint8Array[]): boolean {
  return proof.every((hash) => hash.length === HASH_BYTES);
}

function half(value: number): number {
  return Math.floor(value / 2);
}

/** Whether `leaf` (a leaf hash) is at `index` in the tree of `size` leaves with `root` (RFC 9162 §2.1.3.2). */
export function verifyInclusion(
  leaf: Uint8Array,
  index: number,
  size: number,
  proof: readonly Uint8Array[],
  root: Uint8Array,
): boolean {
  if (!isSize(index) || !isSize(size) || index >= size || leaf.length !== HASH_BYTES || !allHashes(proof))
    return false;
  let fn = index;
  let sn = size - 1;
  let hash = leaf;
  for (const step of proof) {
    if (sn === 0) return false;
    if (fn % 2 === 1 || fn === sn) {
      hash = nodeHash(step, hash);
      while (fn % 2 === 0 && fn !== 0) {
        fn = half(fn);
        sn = half(sn);
      }
    } else {
      hash = nodeHash(hash, step);
    }
    fn = half(fn);
    sn = half(sn);
  }
  return sn === 0 && equalBytes(hash, root);
}

/**
 * Whether the tree (`to`, `toRoot`) extends (`from`, `fromRoot`) (RFC 9162 §2.1.4.2). False when `from` is 0: every tree
 * extends the empty one, so there is nothing to show, and a caller that means it says so itself.
 * @param join the runtime's own hashing of nodes, where it is faster.
 */
export function verifyConsistency(
  from: number,
  to: number,
  fromRoot: Uint8Array,
  toRoot: Uint8Array,
  proof: readonly Uint8Array[],
  join: Join = nodeHash,
): boolean {
  if (from === to) return isSize(from) && from > 0 && proof.length === 0 && equalBytes(fromRoot, toRoot);
  const roots = consistencyRoots(from, to, fromRoot, proof, join);
  return roots !== undefined && equalBytes(roots.from, fromRoot) && equalBytes(roots.to, toRoot);
}

/**
 * What a consistency proof makes of two trees: their roots, whatever was claimed of them. A proof that makes the root of
 * the larger tree shows its first `from` leaves to have the other root.
 * @param fromRoot of the smaller tree as claimed: where its size is a power of two, it is a part of the proof.
 * @returns undefined for anything that is no proof between trees of these sizes, 0 < from < to.
 */
export function consistencyRoots(
  from: number,
  to: number,
  fromRoot: Uint8Array,
  proof: readonly Uint8Array[],
  join: Join = nodeHash,
): { readonly from: Uint8Array; readonly to: Uint8Array } | undefined {
  if (!isSize(from) || !isSize(to) || from === 0 || from >= to || !allHashes(proof)) return undefined;
  let fn = from - 1;
  let sn = to - 1;
  while (fn % 2 === 1) {
    fn = half(fn);
    sn = half(sn);
  }
  const steps = fn === 0 ? [fromRoot, ...proof] : proof;
  const [first, ...rest] = steps;
  if (first === undefined) return undefined;
  let fr = first;
  let sr = first;
  for (const step of rest) {
    if (sn === 0) return undefined;
    if (fn % 2 === 1 || fn === sn) {
      const both = fr === sr;
      fr = join(step, fr);
      sr = both ? fr : join(step, sr);
      while (fn % 2 === 0 && fn !== 0) {
        fn = half(fn);
        sn = half(sn);
      }
    } else {
      sr = join(sr, step);
    }
    fn = half(fn);
    sn = half(sn);
  }
  return sn === 0 ? { from: fr, to: sr } : undefined;
}

/** A tree that grows at the end and can prove itself. Holds all complete subtrees: 64 bytes a leaf. */
export class MerkleTree {
  readonly #levels: Uint8Array[][] = [[]];

  get size(): number {
    return this.#levels[0]?.length ?? 0;
  }

  /** @param hash a leaf hash (see leafHash). */
  append(hash: Uint8Array): void {
    let carried = hash;
    for (let level = 0; ; level += 1) {
      const row = (this.#levels[level] ??= []);
      row.push(carried);
      const left = row[row.length - 2];
      if (row.length % 2 === 1 || left === undefined) return;
      carried = nodeHash(left, carried);
    }
  }

  readonly node: CompleteNode = (level, index) => {
    const hash = this.#levels[level]?.[index];
    if (hash === undefined) throw new RangeError(`no complete subtree ${index} at level ${level}`);
    return hash;
  };

  root(size: number = this.size): Uint8Array {
    return rootOf(this.node, size);
  }

  inclusionProof(index: number, size: number = this.size): Uint8Array[] {
    return inclusionProof(this.node, index, size);
  }

  consistencyProof(from: number, to: number = this.size): Uint8Array[] {
    return consistencyProof(this.node, from, to);
  }
}
