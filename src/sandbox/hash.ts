import { sha256 } from "@noble/hashes/sha2.js";

/**
 * Up to this many bytes are hashed in the thread itself: the engine's own hash is several times faster but answers
 * after a detour through another thread of about 50 µs.
 */
const SMALL_BYTES = 4_096;

/** Absent in a thread without an origin in Chromium, which does not call that place secure. */
const ENGINES_HASH: SubtleCrypto | undefined = globalThis.crypto?.subtle;

/** SHA-256, 32 bytes. Reads `bytes` before it returns, so that they may be transferred or changed afterwards. */
export async function hashBytes(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  if (bytes.length <= SMALL_BYTES || ENGINES_HASH === undefined) return sha256(bytes);
  return new Uint8Array(await ENGINES_HASH.digest("SHA-256", bytes));
}
