import { expect, test } from "vitest";
import { leafHash, MerkleTree } from "../protocol/merkle.ts";
import { GrowingRoot } from "./growing-root.ts";

test("a root that grows is that of the tree, at every size", () => {
  const tree = new MerkleTree();
  const growing = new GrowingRoot();
  expect(growing.root()).toEqual(tree.root());
  for (let size = 1; size <= 300; size += 1) {
    const leaf = leafHash(Uint8Array.of(size & 255, size >> 8));
    tree.append(leaf);
    growing.append(leaf);
    expect(growing.size).toBe(size);
    expect(growing.root()).toEqual(tree.root());
  }
});
