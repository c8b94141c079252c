import { generateKeyPair, generateKeyPairFromSeed, publicKeyFromRaw } from "@libp2p/crypto/keys";
import { peerIdFromPublicKey, peerIdFromString } from "@libp2p/peer-id";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { anyPeer } from "./arbitrary.contract.ts";
import { FailureError } from "./failure.ts";
import {
  isPeerId,
  keyFromPeerId,
  multicodecKey,
  parsePeerId,
  peerIdFromKey,
  peerIdFromMulticodecKey,
} from "./peer-id.ts";

const key = fc.uint8Array({ minLength: 32, maxLength: 32 });

describe("A peer id", () => {
  test("is what libp2p writes for the same key", async () => {
    const pair = await generateKeyPairFromSeed("Ed25519", new Uint8Array(32).fill(200));
    const peer = peerIdFromKey(pair.publicKey.raw);
    expect(peer).toBe(peerIdFromPublicKey(pair.publicKey).toString());
    const theirs = peerIdFromString(peer);
    expect(theirs.publicKey?.raw).toEqual(keyFromPeerId(peer));
  });

  test("of any 32 bytes is libp2p's, and comes back from text and wire", () => {
    fc.assert(
      fc.property(key, (raw) => {
        const peer = peerIdFromKey(raw);
        expect(peer).toBe(peerIdFromPublicKey(publicKeyFromRaw(raw)).toString());
        expect(keyFromPeerId(peer)).toEqual(raw);
        expect(parsePeerId(peer)).toBe(peer);
        expect(peerIdFromMulticodecKey(multicodecKey(peer))).toBe(peer);
        expect(multicodecKey(peer)).toEqual(Uint8Array.of(0xed, 0x01, ...raw));
      }),
    );
    for (const byte of [0, 255]) expect(isPeerId(peerIdFromKey(new Uint8Array(32).fill(byte)))).toBe(true);
  });

  test("with a character changed is another key or none", () => {
    fc.assert(
      fc.property(
        anyPeer,
        fc.nat(51),
        fc.string({ unit: "binary", minLength: 1, maxLength: 1 }),
        (peer, at, character) => {
          const changed = peer.slice(0, at) + character + peer.slice(at + 1);
          if (changed !== peer && isPeerId(changed))
            expect(keyFromPeerId(changed)).not.toEqual(keyFromPeerId(peer));
        },
      ),
      { numRuns: 500 },
    );
  });

  test("has one spelling", () => {
    const peer = peerIdFromKey(new Uint8Array(32).fill(7));
    for (const text of [
      ` ${peer}`,
      `${peer} `,
      `1${peer}`,
      `${peer}1`,
      peer.toLowerCase(),
      `z${peer}`,
      "",
      "12D3KooW",
    ]) {
      expect(() => parsePeerId(text), text).toThrow(FailureError);
    }
    const keys = Array.from({ length: 40 }, (_, byte) => new Uint8Array(32).fill(byte));
    const withOne = keys.map(peerIdFromKey).find((text) => text.lastIndexOf("1") > 8)!;
    const at = withOne.lastIndexOf("1");
    expect(isPeerId(`${withOne.slice(0, at)}\u0231${withOne.slice(at + 1)}`)).toBe(false);
    expect([undefined, null, 7, {}].map(isPeerId)).toEqual([false, false, false, false]);
  });

  test("of another kind of key is refused", async () => {
    const secp = peerIdFromPublicKey((await generateKeyPair("secp256k1")).publicKey).toString();
    expect(() => parsePeerId(secp)).toThrow(FailureError);
    expect(() => peerIdFromMulticodecKey(Uint8Array.of(0xe7, 1, ...new Uint8Array(32)))).toThrow(
      FailureError,
    );
    expect(() => peerIdFromMulticodecKey(new Uint8Array(33))).toThrow(FailureError);
    expect(() => peerIdFromKey(new Uint8Array(31))).toThrow(FailureError);
  });

  test("stays right when more identities are met than are remembered", () => {
    for (let i = 0; i < 9_000; i += 1) {
      const raw = new Uint8Array(32);
      new DataView(raw.buffer).setUint32(0, i);
      const wire = Uint8Array.of(0xed, 1, ...raw);
      if (i % 500 !== 0) peerIdFromMulticodecKey(wire);
      else expect(multicodecKey(peerIdFromMulticodecKey(wire))).toEqual(wire);
    }
  });
});
