import { sha256 } from "@noble/hashes/sha2.js";

/**
 * Up to this many bytes are hashed in the thread itself: the engine's own hash is several times faster but answers
 * after a detour through another thread of about 50 µs.
 */
const SMALL_BYTES = 4_096;

/** SHA-256, 32 bytes. Reads `bytes` before it returns, so that they may be transferred or changed afterwards. */
export async function hashBytes(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  if (bytes.length <= SMALL_BYTES) return sha256(bytes);
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}
