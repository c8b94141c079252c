import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { concatBytes } from "../../protocol/bytes.ts";
import { EMPTY_ROOT, leafHash, MerkleTree } from "../../protocol/merkle.ts";
import type { NodeRun } from "../store/books-store.ts";
import { LogTree } from "./log-tree.ts";
import { entryHash, plainBytes } from "./native-hash.ts";

function leafOf(index: number): Uint8Array {
  return Uint8Array.of(index & 0xff, index >> 8);
}

/** Grows a log in steps beside the plain tree, keeping runs as a store does. */
function grown(steps: readonly number[]): {
  plain: MerkleTree;
  log: LogTree;
  load: (level: number, index: number) => NodeRun | undefined;
} {
  const runs: NodeRun[] = [];
  const load = (level: number, index: number): NodeRun | undefined =>
    runs.findLast((run) => run.level === level && run.first <= index);
  const plain = new MerkleTree();
  const log = new LogTree(load, 0, EMPTY_ROOT);
  for (const step of steps) {
    const leaves = Array.from({ length: step }, (_, i) => leafOf(plain.size + i));
    for (const leaf of leaves) plain.append(leafHash(leaf));
    const extension = log.extend(leaves.map(entryHash));
    expect(log.size).toBe(plain.size - step);
    runs.push(...extension.runs);
    log.grow(extension);
  }
  return { plain, log, load };
}

const steps = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 12 });

describe("the log's tree", () => {
  it("has the root and the proofs of RFC 6962, however it grew", () => {
    fc.assert(
      fc.property(steps, fc.nat(), fc.nat(), (all, a, b) => {
        const { plain, log } = grown(all);
        expect(plainBytes(log.root)).toEqual(plain.root());
        const index = a % plain.size;
        expect(log.inclusionProof(index).map(plainBytes)).toEqual(plain.inclusionProof(index));
        const from = b % (plain.size + 1);
        expect(log.consistencyProof(from, plain.size).map(plainBytes)).toEqual(plain.consistencyProof(from));
      }),
      { numRuns: 60 },
    );
  });

  it("is the same when it is read from the disk again", () => {
    fc.assert(
      fc.property(steps, fc.nat(), (all, a) => {
        const { plain, log, load } = grown(all);
        const again = new LogTree(load, log.size, log.root);
        const index = a % plain.size;
        expect(again.inclusionProof(index).map(plainBytes)).toEqual(plain.inclusionProof(index));
        const row = Array.from({ length: plain.size }, (_, i) => plain.node(0, i));
        expect(again.hashes(0, index, plain.size - index)).toEqual(concatBytes(...row.slice(index)));
        expect(log.hashes(0, 0, plain.size)).toEqual(concatBytes(...row));
        expect(() => again.hashes(0, index, plain.size - index + 1)).toThrow(RangeError);
        const next = entryHash(leafOf(plain.size));
        plain.append(next);
        expect(plainBytes(again.extend([next]).root)).toEqual(plain.root());
      }),
      { numRuns: 60 },
    );
  });

  it("is refused when what is stored does not make the stored root", () => {
    const { log, load } = grown([5, 7]);
    expect(() => new LogTree(load, log.size, new Uint8Array(32))).toThrow(/root/u);
    expect(() => new LogTree(load, log.size + 1, log.root)).toThrow(RangeError);
    expect(() => new LogTree(() => undefined, log.size, log.root)).toThrow(RangeError);
  });

  it("proves nothing beyond its size", () => {
    const { log } = grown([3]);
    expect(() => log.inclusionProof(3)).toThrow(RangeError);
    expect(() => log.consistencyProof(1, 4)).toThrow(RangeError);
  });
});
