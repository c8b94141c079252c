import { sha256 } from "@noble/hashes/sha2.js";
import { concatBytes } from "../../protocol/bytes.ts";
import { encodeUtf8 } from "../../protocol/text.ts";

const DOMAIN: Uint8Array = encodeUtf8("tabmesh embeddings 1\n");

/** What the hashes of a task's texts begin with. @param modelDigest of the CID of the model's manifest */
export function firstTextLink(modelDigest: Uint8Array): Uint8Array {
  return sha256(concatBytes(DOMAIN, modelDigest));
}

/**
 * The hash of a text: SHA-256(hash before, u32le number of tokens, u32le each token, i16le vector). It commits to all texts of
 * the task up to this one, and to their vectors.
 * @param tokens that were taken in @param vector i16[output], as `Encoder.encode` returns it
 */
export function nextTextLink(before: Uint8Array, tokens: readonly number[], vector: Int16Array): Uint8Array {
  const vectorAt = before.length + 4 + 4 * tokens.length;
  const message = new DataView(new ArrayBuffer(vectorAt + 2 * vector.length));
  new Uint8Array(message.buffer).set(before);
  message.setUint32(before.length, tokens.length, true);
  for (const [i, token] of tokens.entries()) message.setUint32(before.length + 4 + 4 * i, token, true);
  for (const [i, value] of vector.entries()) message.setInt16(vectorAt + 2 * i, value, true);
  return sha256(new Uint8Array(message.buffer));
}
