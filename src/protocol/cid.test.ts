import fc from "fast-check";
import { CID } from "multiformats/cid";
import { sha256, sha512 } from "multiformats/hashes/sha2";
import { base58btc } from "multiformats/bases/base58";
import { describe, expect, test } from "vitest";
import { anyCid } from "./arbitrary.contract.ts";
import {
  cidBytes,
  cidCodec,
  cidDigest,
  cidFromBytes,
  cidFromDigest,
  cidOf,
  DAG_CBOR,
  isCid,
  parseCid,
  RAW,
} from "./cid.ts";
import { FailureError } from "./failure.ts";

describe("A CID", () => {
  test("of bytes is the one multiformats computes", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 300 }),
        fc.constantFrom(DAG_CBOR, RAW),
        async (bytes, codec) => {
          const expected = CID.createV1(codec, await sha256.digest(bytes));
          const cid = cidOf(codec, bytes);
          expect(cid).toBe(expected.toString());
          expect(cidBytes(cid)).toEqual(expected.bytes);
          expect(cidDigest(cid)).toEqual(expected.multihash.digest);
          expect(cidCodec(cid)).toBe(codec);
        },
      ),
    );
  });

  test("comes back from its bytes and its text", () => {
    fc.assert(
      fc.property(anyCid, (cid) => {
        expect(cidFromBytes(cidBytes(cid))).toBe(cid);
        expect(parseCid(cid)).toBe(cid);
      }),
    );
  });

  test("with any character changed is another CID or none, and never another spelling", () => {
    const cid = cidOf(RAW, Uint8Array.of(1));
    for (let at = 0; at < cid.length; at += 1) {
      for (const character of "abz27ABZ018=-_ é\u{1f600}") {
        const changed = cid.slice(0, at) + character + cid.slice(at + 1);
        if (changed !== cid && isCid(changed)) expect(cidBytes(changed)).not.toEqual(cidBytes(cid));
      }
    }
    expect(isCid(`${cid.slice(0, -1)}${cid.endsWith("b") ? "c" : "b"}`)).toBe(false);
  });

  test("of another version, codec, hash or base is refused", async () => {
    const digest = await sha256.digest(Uint8Array.of(1));
    const foreign = [
      CID.createV0(digest).toString(),
      CID.createV1(RAW, digest).toString(base58btc),
      CID.createV1(0x70, digest).toString(),
      CID.createV1(RAW, await sha512.digest(Uint8Array.of(1))).toString(),
      CID.createV1(RAW, digest).toString().toUpperCase(),
      "",
      "b",
    ];
    for (const text of foreign) expect(() => parseCid(text), text).toThrow(FailureError);
    for (const cid of [CID.createV1(0x70, digest), CID.createV0(digest)]) {
      expect(() => cidFromBytes(cid.bytes)).toThrow(FailureError);
    }
    expect(() => cidFromDigest(RAW, new Uint8Array(31))).toThrow(FailureError);
    expect([undefined, null, 7, {}].map(isCid)).toEqual([false, false, false, false]);
  });

  test("is not found in noise, and noise throws nothing else", () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ unit: "binary" }), fc.string({ minLength: 59, maxLength: 59 })),
        (text) => {
          expect(isCid(text)).toBe(false);
        },
      ),
    );
  });
});
