import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { leafHash, MerkleTree } from "../protocol/merkle.ts";
import { TreeTail } from "./tree-tail.ts";

function leaf(index: number): Uint8Array {
  return leafHash(Uint8Array.of(index >> 8, index & 0xff));
}

describe("a tree that forgets its beginning", () => {
  test("proves what it has not forgotten as the whole tree does, also when it was kept and taken up again", () => {
    const steps = fc.array(
      fc.record({
        grow: fc.nat(40),
        forget: fc.double({ min: 0, max: 1, noNaN: true }),
        restart: fc.boolean(),
      }),
      { minLength: 1, maxLength: 8 },
    );
    fc.assert(
      fc.property(steps, (each) => {
        const whole = new MerkleTree();
        let tail = new TreeTail();
        for (const { grow, forget, restart } of each) {
          for (let i = 0; i < grow; i += 1) {
            const hash = leaf(whole.size);
            whole.append(hash);
            tail.append(hash);
          }
          tail.forgetBelow(tail.start + Math.floor((tail.size - tail.start) * forget));
          if (restart) {
            const again = new TreeTail(tail.start, tail.frontier());
            for (let i = tail.start; i < tail.size; i += 1) again.append(leaf(i));
            tail = again;
          }
          expect(tail.size).toBe(whole.size);
          for (const size of [tail.start, Math.floor((tail.start + tail.size) / 2), tail.size]) {
            expect(tail.root(size)).toEqual(whole.root(size));
            for (let index = tail.start; index < size; index += 7)
              expect(tail.path(index, size)).toEqual(whole.inclusionProof(index, size));
          }
        }
      }),
      { numRuns: 40 },
    );
  });

  test("holds a few hashes of a long beginning, and proves nothing of it", () => {
    const tail = new TreeTail();
    for (let i = 0; i < 1_000; i += 1) tail.append(leaf(i));
    tail.forgetBelow(999);
    expect(tail.frontier()).toHaveLength(8);
    expect(() => tail.path(500, 1_000)).toThrow(RangeError);
    expect(() => new TreeTail(999, tail.frontier().slice(1))).toThrow(RangeError);
    expect(() => tail.forgetBelow(1_001)).toThrow(RangeError);
  });
});
