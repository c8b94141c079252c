import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cidBytes, cidOf, RAW } from "./cid.ts";
import { opensSeal, outcomeSeal, SEAL_NONCE_BYTES, type SealedOutcome } from "./seal-outcome.ts";
import { encodeUtf8 } from "./text.ts";
import { fuel } from "./units.ts";

function named(name: string): ReturnType<typeof cidOf> {
  return cidOf(RAW, encodeUtf8(name));
}

const NONCE = new Uint8Array(SEAL_NONCE_BYTES).fill(7);
const DONE: SealedOutcome = {
  lease: named("lease"),
  seq: 3,
  segment: 0,
  status: "done",
  outputCid: named("output"),
  fuel: fuel(1_000),
};
const FAILED: SealedOutcome = {
  lease: named("lease"),
  seq: 3,
  segment: 0,
  status: "failed",
  code: 30_002,
  fuel: fuel(1_000),
};

const leases = fc.constantFrom(named("lease"), named("another lease"));
const fuels = fc.constantFrom(0n, 1n, 1n << 63n).map((value) => fuel(value));

const anyOutcome: fc.Arbitrary<SealedOutcome> = fc.oneof(
  fc.record<SealedOutcome>({
    lease: leases,
    seq: fc.nat(3),
    segment: fc.nat(2),
    status: fc.constant("done"),
    outputCid: fc.constantFrom(named("output"), named("another output")),
    fuel: fuels,
  }),
  fc.record<SealedOutcome>({
    lease: leases,
    seq: fc.nat(3),
    segment: fc.nat(2),
    status: fc.constant("failed"),
    code: fc.constantFrom(30_001, 30_002),
    fuel: fuels,
  }),
);

function number(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(value);
  return bytes;
}

function native(bytes: Uint8Array): Uint8Array {
  return Uint8Array.from(createHash("sha256").update(bytes).digest());
}

describe("the seal of an outcome", () => {
  it("is a plain hash over its layout", () => {
    const expected = createHash("sha256")
      .update(Buffer.from("\0\u{e}tabmesh/seal/1", "latin1"))
      .update(cidBytes(DONE.lease))
      .update(number(3n))
      .update(number(0n))
      .update(number(0n))
      .update(number(1_000n))
      .update(NONCE)
      .update(cidBytes(named("output")))
      .digest();
    expect(Buffer.from(outcomeSeal(DONE, NONCE))).toEqual(expected);
  });

  it("opens with the outcome and the nonce it was made of, and with no other", () => {
    fc.assert(
      fc.property(anyOutcome, anyOutcome, fc.nat(2), (sealed, shown, nonceByte) => {
        const nonce = new Uint8Array(SEAL_NONCE_BYTES).fill(nonceByte);
        const same = JSON.stringify(keyOf(sealed)) === JSON.stringify(keyOf(shown));
        expect(opensSeal(outcomeSeal(sealed, nonce), shown, nonce)).toBe(same);
        expect(opensSeal(outcomeSeal(sealed, nonce), sealed, new Uint8Array(SEAL_NONCE_BYTES).fill(9))).toBe(
          false,
        );
      }),
    );
  });

  it("is worth nothing to a replica that shows another's outcome as its own", () => {
    const own = outcomeSeal({ ...DONE, outputCid: named("a guess") }, NONCE);
    expect(opensSeal(own, DONE, NONCE)).toBe(false);
    const lifted = outcomeSeal(DONE, NONCE);
    expect(opensSeal(lifted, { ...DONE, lease: named("the copier's lease") }, NONCE)).toBe(false);
  });

  it("tells a failure from an output", () => {
    expect(opensSeal(outcomeSeal(FAILED, NONCE), DONE, NONCE)).toBe(false);
    expect(opensSeal(outcomeSeal(FAILED, NONCE), { ...FAILED, code: 30_001 }, NONCE)).toBe(false);
  });

  it("takes no short nonce, which could be guessed", () => {
    const seal = outcomeSeal(DONE, NONCE);
    expect(() => outcomeSeal(DONE, NONCE.subarray(1))).toThrow(RangeError);
    expect(opensSeal(seal, DONE, NONCE.subarray(1))).toBe(false);
  });

  it("is the same by a runtime's own hash", () => {
    expect(outcomeSeal(DONE, NONCE, native)).toEqual(outcomeSeal(DONE, NONCE));
  });
});

/** What has to be alike. */
function keyOf({
  lease,
  seq,
  segment,
  status,
  code,
  outputCid,
  fuel: burnt,
}: SealedOutcome): readonly string[] {
  return [lease, seq, segment, status, code, outputCid, burnt].map(String);
}
