import { bls12_381 } from "@noble/curves/bls12-381.js";
import { hkdf } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { encodeUtf8 } from "../protocol/text.ts";

/** Domain of hashes to the curve (RFC 9380 §3.1): signatures of other uses count for nothing here. */
const DOMAIN = "TABMESH_RANDOM_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_";
/** Enough that the remainder of the group's order is even (FIPS 186-5 §A.4.1). */
const KEY_MATERIAL_BYTES = 48;

/** Signatures in G1, 48 bytes; keys in G2, 96 bytes. */
const scheme = bls12_381.shortSignatures;

/** A key for verifiable randomness. A BLS signature is unique: whoever holds the key cannot choose between two. */
export interface RandomnessKey {
  /** 96 bytes. */
  readonly publicKey: Uint8Array;
  /** @returns 48 bytes */
  prove(message: Uint8Array): Uint8Array;
}

/** @param seed 32 secret bytes; the key follows from them and tells nothing of them */
export function randomnessKey(seed: Uint8Array): RandomnessKey {
  const material = hkdf(sha256, seed, undefined, encodeUtf8("tabmesh/randomness-key/1"), KEY_MATERIAL_BYTES);
  const secret = bls12_381.utils.randomSecretKey(material);
  return {
    publicKey: scheme.getPublicKey(secret).toBytes(),
    prove: (message) => scheme.sign(scheme.hash(message, DOMAIN), secret).toBytes(),
  };
}

/** Whether a proof is the one signature of that key over the message. Takes some milliseconds. */
export function provesRandomness(publicKey: Uint8Array, message: Uint8Array, proof: Uint8Array): boolean {
  try {
    return scheme.verify(proof, scheme.hash(message, DOMAIN), publicKey);
  } catch {
    return false;
  }
}
