import { concatBytes, equalBytes, u32be } from "./bytes.ts";
import { WIRE_VERSION } from "./limits.ts";
import type { PeerId } from "./peer-id.ts";
import { encodeUtf8 } from "./text.ts";

/** Signs with one Ed25519 key. The key itself never leaves its owner. */
export interface Signer {
  readonly key: PeerId;
  /** Delegation envelope by which a root identity lets this key act for it; absent when the key is the root. */
  readonly delegation?: Uint8Array;
  /** @returns 64 bytes. */
  sign(message: Uint8Array): Promise<Uint8Array>;
}

/** Plain Ed25519 verification by the runtime; the encoding has been checked already. */
export type Verify = (key: Uint8Array, message: Uint8Array, signature: Uint8Array) => Promise<boolean>;
/** The same where the runtime can do it at once (Node's native crypto). */
export type VerifySync = (key: Uint8Array, message: Uint8Array, signature: Uint8Array) => boolean;

/** One Ed25519 verification that remains to be done. */
export interface SignatureClaim {
  readonly key: Uint8Array;
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
}

export const SIGNATURE_BYTES = 64;

/** Framed tags by message type; the types are this program's own. */
const tags = new Map<string, Uint8Array>();

/**
 * What is signed: length-framed domain tag, then length-framed body. The tag keeps a signature of one message type
 * from counting for another; the lengths keep tag and body from running into each other.
 */
export function signedBytes(type: string, body: Uint8Array): Uint8Array<ArrayBuffer> {
  let tag = tags.get(type);
  if (tag === undefined) {
    const name = encodeUtf8(`tabmesh/${type}/${WIRE_VERSION}`);
    tag = concatBytes(u32be(name.length), name);
    tags.set(type, tag);
  }
  return concatBytes(tag, u32be(body.length), body);
}

/** Order of the Ed25519 group, little endian (RFC 8032 §5.1). */
const GROUP_ORDER = Uint8Array.from([
  0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0,
  0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
]);

function isBelowOrder(scalar: Uint8Array): boolean {
  for (let i = 31; i >= 0; i -= 1) {
    const difference = (scalar[i] ?? 0) - (GROUP_ORDER[i] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}

function fromHex(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../gu) ?? [], (pair) => Number.parseInt(pair, 16));
}

/** y coordinates of the eight points of small order; the sign bit is masked before comparing. y = p and p + 1 fall to isReduced. */
const SMALL_ORDER: readonly Uint8Array[] = [
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
].map(fromHex);

/** Whether y < p = 2^255 − 19, that is, whether the point has its one canonical spelling. */
function isReduced(y: Uint8Array): boolean {
  if (y[31] !== 0x7f || (y[0] ?? 0) < 0xed) return true;
  for (let i = 1; i < 31; i += 1) if (y[i] !== 0xff) return true;
  return false;
}

/** A canonical encoding of a point that is not of small order (it may still be off the curve: verification finds that). */
export function isSoundPoint(point: Uint8Array): boolean {
  if (point.length !== 32) return false;
  const y = point.slice();
  y[31] = (y[31] ?? 0) & 0x7f;
  return isReduced(y) && !SMALL_ORDER.some((small) => equalBytes(small, y));
}

/**
 * The one signature law (rule 20). Runtimes differ on small-order keys and unreduced scalars; these are refused before
 * a runtime is asked, so that every machine accepts the same signatures.
 */
export function isSoundSignature(key: Uint8Array, signature: Uint8Array): boolean {
  return (
    signature.length === SIGNATURE_BYTES &&
    isSoundPoint(key) &&
    isSoundPoint(signature.subarray(0, 32)) &&
    isBelowOrder(signature.subarray(32))
  );
}
