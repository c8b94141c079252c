import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { leafHash, MerkleTree, nodeHash, verifyConsistency, verifyInclusion } from "./merkle.ts";

const CASES = fileURLToPath(new URL("../../../shared/conformance/merkle", import.meta.url));

interface Case {
  readonly desc: string;
  readonly wantErr: boolean;
  readonly proof: readonly string[] | null;
  readonly [field: string]: unknown;
}

function casesIn(folder: string): readonly string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? casesIn(path) : [path];
  });
}

function bytes(base64: unknown): Uint8Array {
  return typeof base64 === "string" ? new Uint8Array(Buffer.from(base64, "base64")) : new Uint8Array();
}

function read(path: string): Case {
  return JSON.parse(readFileSync(path, "utf8"));
}

function filled(size: number): MerkleTree {
  const tree = new MerkleTree();
  for (let i = 0; i < size; i += 1) tree.append(leafHash(Uint8Array.of(i & 255, i >> 8)));
  return tree;
}

/** RFC 6962 §2.1 as it is written, without any stored subtree. */
function obviousRoot(leaves: readonly Uint8Array[]): Uint8Array {
  const [only] = leaves;
  if (only !== undefined && leaves.length === 1) return only;
  let k = 1;
  while (k * 2 < leaves.length) k *= 2;
  return nodeHash(obviousRoot(leaves.slice(0, k)), obviousRoot(leaves.slice(k)));
}

describe("Merkle proofs", () => {
  if (existsSync(CASES)) {
    test("agree with every published inclusion case", () => {
      const cases = casesIn(join(CASES, "inclusion")).map(read);
      expect(cases.length).toBeGreaterThan(50);
      for (const c of cases) {
        const holds = verifyInclusion(
          bytes(c["leafHash"]),
          Number(c["leafIdx"]),
          Number(c["treeSize"]),
          (c.proof ?? []).map(bytes),
          bytes(c["root"]),
        );
        expect(holds, c.desc).toBe(!c.wantErr);
      }
    });

    test("agree with every published consistency case", () => {
      const cases = casesIn(join(CASES, "consistency")).map(read);
      expect(cases.length).toBeGreaterThan(50);
      const disagreements = cases.filter(
        (c) =>
          verifyConsistency(
            Number(c["size1"]),
            Number(c["size2"]),
            bytes(c["root1"]),
            bytes(c["root2"]),
            (c.proof ?? []).map(bytes),
          ) === c.wantErr,
      );
      expect(disagreements.map((c) => c.desc)).toEqual([]);
    });
  } else {
    console.log("skipped: published Merkle cases (../shared/conformance/merkle is not here)");
  }

  test("a grown tree has the root of the definition, at every earlier size too", () => {
    const tree = filled(130);
    const leaves = Array.from({ length: 130 }, (_, i) => leafHash(Uint8Array.of(i & 255, i >> 8)));
    for (let size = 1; size <= 130; size += 1)
      expect(tree.root(size)).toEqual(obviousRoot(leaves.slice(0, size)));
  });

  test("every leaf proves itself in every tree that holds it, and nowhere else", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200 }), fc.nat(), fc.nat(), (size, a, b) => {
        const tree = filled(size);
        const index = a % size;
        const leaf = tree.node(0, index);
        const proof = tree.inclusionProof(index);
        expect(verifyInclusion(leaf, index, size, proof, tree.root())).toBe(true);
        const other = b % size;
        if (other !== index) expect(verifyInclusion(leaf, other, size, proof, tree.root())).toBe(false);
      }),
    );
  });

  test("every earlier tree proves to be a prefix, and a changed one does not", () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 200 }), fc.nat(), (to, a) => {
        const tree = filled(to);
        const from = 1 + (a % to);
        const proof = tree.consistencyProof(from);
        expect(verifyConsistency(from, to, tree.root(from), tree.root(), proof)).toBe(true);
        const forked = new MerkleTree();
        for (let i = 0; i < from; i += 1)
          forked.append(leafHash(Uint8Array.of(i & 255, i >> 8, i === from - 1 ? 1 : 0)));
        expect(verifyConsistency(from, to, forked.root(), tree.root(), proof)).toBe(false);
      }),
    );
  });
});
