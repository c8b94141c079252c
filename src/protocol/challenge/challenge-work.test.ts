import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { equalBytes } from "../bytes.ts";
import { cidOf, RAW } from "../cid.ts";
import { assembleBurn } from "./build.contract.ts";
import { burnFunction, burnInput, challengeDigest, upstreamBytes } from "./challenge-work.ts";

const sha256 = (...parts: readonly Uint8Array[]): Uint8Array => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return Uint8Array.from(hash.digest());
};

describe("what challenges compute", () => {
  it("is the function of burn.wat, under its CID", async () => {
    const { cid, module } = burnFunction();
    expect(equalBytes(module, await assembleBurn())).toBe(true);
    expect(cid).toBe(cidOf(RAW, module));
  });

  it("has the seed and the amount as its input", () => {
    const input = burnInput(new Uint8Array(32).fill(7), 0x01020304);
    expect([...input.subarray(30)]).toEqual([7, 7, 4, 3, 2, 1]);
  });

  it("is answered by one hash over the nonce and every lane, in their order", () => {
    const nonce = new Uint8Array(16).fill(1);
    const [a, b] = [new Uint8Array(32).fill(2), new Uint8Array(32).fill(3)];
    expect(challengeDigest(nonce, [a, b])).toEqual(sha256(nonce, a, b));
    expect(challengeDigest(nonce, [b, a])).not.toEqual(sha256(nonce, a, b));
  });

  it("goes upstream as bytes that differ with the seed and do not repeat", () => {
    const seed = new Uint8Array(32);
    const bytes = upstreamBytes(seed, 65_536);
    expect(new Set(new Uint32Array(bytes.buffer)).size).toBeGreaterThan(16_300);
    expect(equalBytes(bytes, upstreamBytes(seed.slice().fill(1), 65_536))).toBe(false);
    // Of a seed of zeros, the first words: 1 ^ 1 << 11 = 0x801, and 0x801 ^ 0x801 >>> 8 = 0x809.
    expect([...bytes.subarray(0, 4)]).toEqual([0, 0, 8, 9]);
  });
});
