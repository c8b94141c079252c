import type { SignatureClaim } from "../../protocol/signature.ts";

/** Signatures to be verified, as one message between threads: for each its key, itself, and what it signs. */

/** Whose they are: the place of the entry that stands on them. */
export interface EntryClaim extends SignatureClaim {
  readonly index: number;
}

/** Index (8 bytes), length (4), key (32), signature (64), then the message. */
const FIXED_BYTES = 108;

export function packClaims(claims: readonly EntryClaim[]): Uint8Array<ArrayBuffer> {
  const total = claims.reduce((sum, { message }) => sum + FIXED_BYTES + message.length, 0);
  const packed = new Uint8Array(total);
  const view = new DataView(packed.buffer);
  let at = 0;
  for (const { index, key, message, signature } of claims) {
    view.setFloat64(at, index);
    view.setUint32(at + 8, message.length);
    packed.set(key, at + 12);
    packed.set(signature, at + 44);
    packed.set(message, at + FIXED_BYTES);
    at += FIXED_BYTES + message.length;
  }
  return packed;
}

/** Views of the packed bytes. */
export function* unpackClaims(packed: Uint8Array): Generator<EntryClaim> {
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
  for (let at = 0; at < packed.length;) {
    const end = at + FIXED_BYTES + view.getUint32(at + 8);
    yield {
      index: view.getFloat64(at),
      key: packed.subarray(at + 12, at + 44),
      signature: packed.subarray(at + 44, at + FIXED_BYTES),
      message: packed.subarray(at + FIXED_BYTES, end),
    };
    at = end;
  }
}
