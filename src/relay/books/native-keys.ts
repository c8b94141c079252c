import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from "node:crypto";
import { concatBytes } from "../../protocol/bytes.ts";
import { SEED_BYTES } from "../../protocol/ed25519.ts";
import { type PeerId, peerIdFromKey } from "../../protocol/peer-id.ts";
import type { VerifySync } from "../../protocol/signature.ts";
import { KEPT_KEYS } from "./limits.ts";
import { RecentMap } from "./recent-map.ts";

/** ASN.1 of an Ed25519 key up to its 32 bytes (RFC 8410): a private key in PKCS #8, a public one as SubjectPublicKeyInfo. */
const PRIVATE_PREFIX = Uint8Array.of(0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20);
const PUBLIC_PREFIX = Uint8Array.of(0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 0x21, 0);

const imported = new RecentMap<string, KeyObject>(KEPT_KEYS);

function importKey(key: Uint8Array): KeyObject {
  return createPublicKey({
    key: Buffer.from(concatBytes(PUBLIC_PREFIX, key)),
    format: "der",
    type: "spki",
  });
}

/** Ed25519 by Node's own crypto, at once. A key that is not on the curve verifies nothing. */
export const verifyNative: VerifySync = (key, message, signature) => {
  const name = Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString("latin1");
  try {
    let known = imported.get(name);
    if (known === undefined) {
      known = importKey(key);
      imported.set(name, known);
    }
    return verify(null, message, known, signature);
  } catch {
    return false;
  }
};

/** One of the relay's own keys. */
export interface RelayKey {
  readonly peer: PeerId;
  /** Raw public key, 32 bytes. */
  readonly raw: Uint8Array;
  sign(message: Uint8Array): Uint8Array;
}

/** @throws RangeError unless the seed has 32 bytes. */
export function relayKey(seed: Uint8Array): RelayKey {
  if (seed.length !== SEED_BYTES) throw new RangeError(`a seed has ${SEED_BYTES} bytes, not ${seed.length}`);
  const key = createPrivateKey({
    key: Buffer.from(concatBytes(PRIVATE_PREFIX, seed)),
    format: "der",
    type: "pkcs8",
  });
  const spki = createPublicKey(key).export({ format: "der", type: "spki" });
  const raw = new Uint8Array(spki.subarray(PUBLIC_PREFIX.length));
  return { peer: peerIdFromKey(raw), raw, sign: (message) => new Uint8Array(sign(null, message, key)) };
}
