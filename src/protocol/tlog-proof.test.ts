import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseTlogProof, parseTlogProofs, type TlogProof, writeTlogProof } from "./tlog-proof.ts";

const hash = fc.uint8Array({ minLength: 32, maxLength: 32 });
const proof = fc.record(
  {
    index: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
    proof: fc.array(hash, { maxLength: 20 }),
    checkpoint: fc.constantFrom(
      "log.example\n3\nAAAA\n\n\u2014 log.example BBBB\n",
      "x\n0\nC\n\n\u2014 x D\n",
    ),
    entry: fc.uint8Array({ maxLength: 100 }),
  },
  { requiredKeys: ["index", "proof", "checkpoint"] },
) as fc.Arbitrary<TlogProof>;

const EXAMPLE = [
  "c2sp.org/tlog-proof@v1",
  "index 1",
  "gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=",
  "",
  "example.com/log",
  "2",
  "sFodV/vSp5O8n9a8QpW6PRY97tfOSW5bsc2Xl/EQi08=",
  "",
  "\u2014 example.com/log hI2DJw==",
  "",
].join("\n");

describe("a tlog-proof", () => {
  test("comes back as it was written, alone or behind others", () => {
    fc.assert(
      fc.property(proof, fc.array(proof, { minLength: 1, maxLength: 4 }), (one, several) => {
        expect(parseTlogProof(writeTlogProof(one))).toEqual(one);
        expect(parseTlogProofs(several.map(writeTlogProof).join(""))).toEqual(several);
      }),
    );
  });

  test("is read without extra data, and its checkpoint is left as it is", () => {
    const { index, proof: hashes, checkpoint, entry } = parseTlogProof(EXAMPLE);
    expect([index, hashes.length, entry]).toEqual([1, 1, undefined]);
    expect(checkpoint).toBe(EXAMPLE.slice(EXAMPLE.indexOf("example.com")));
    expect(writeTlogProof({ index, proof: hashes, checkpoint })).toBe(EXAMPLE);
  });

  test.each([
    ["another first line", EXAMPLE.replace("@v1", "@v2")],
    ["no index", EXAMPLE.replace("index 1\n", "")],
    ["an index with a zero before it", EXAMPLE.replace("index 1", "index 01")],
    ["a hash that is too short", EXAMPLE.replace("gSKyXoYZUgZ6jduW", "")],
    ["a hash without its padding", EXAMPLE.replace("dPlQ=", "dPlQ")],
    ["extra data behind the index", EXAMPLE.replace("index 1\n", "index 1\nextra AA==\n")],
    ["no empty line", EXAMPLE.replaceAll("\n\n", "\n")],
  ])("with %s is none", (_, text) => {
    expect(() => parseTlogProof(text)).toThrow(/tlog-proof/u);
  });
});
