import { sha256 } from "@noble/hashes/sha2.js";
import { concatBytes } from "../../protocol/bytes.ts";
import { encodeUtf8 } from "../../protocol/text.ts";

const DOMAIN: Uint8Array = encodeUtf8("tabmesh transcript 1\n");

/**
 * What a transcript's hashes begin with. @param modelDigest of the CID of the model's manifest
 */
export function firstLink(modelDigest: Uint8Array): Uint8Array {
  return sha256(concatBytes(DOMAIN, modelDigest));
}

/**
 * The hash of a position: SHA-256(hash before, u32le token, i32le hidden state). It commits to all positions up to this one;
 * one wrong bit anywhere changes nearly all hidden states after it, though seldom the text.
 * @param hidden i32[width] in Q16, as `Decoder.forward` returns it
 */
export function nextLink(before: Uint8Array, token: number, hidden: Int32Array): Uint8Array {
  const message = new DataView(new ArrayBuffer(before.length + 4 + 4 * hidden.length));
  new Uint8Array(message.buffer).set(before);
  message.setUint32(before.length, token, true);
  let at = before.length + 4;
  for (const value of hidden) {
    message.setInt32(at, value, true);
    at += 4;
  }
  return sha256(new Uint8Array(message.buffer));
}
