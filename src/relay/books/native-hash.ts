import { hash } from "node:crypto";
import { MAX_ENTRY_BYTES } from "../../protocol/limits.ts";
import { HASH_BYTES } from "../../protocol/merkle.ts";

/**
 * SHA-256 by Node's own crypto, many times as fast as in JavaScript. By way of a string, because a Buffer made in native
 * code has memory of its own: asking for one takes four times as long as the hash (Node 24).
 */
export function sha256(data: Uint8Array): Uint8Array {
  return Buffer.from(hash("sha256", data, "binary"), "latin1");
}

/** Hashes that go out are plain bytes of their own, not Node's subclass with shared memory. */
export function plainBytes(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes);
}

const prefixed = new Uint8Array(1 + MAX_ENTRY_BYTES);

/** Like leafHash in protocol/merkle.ts. */
export function entryHash(entry: Uint8Array): Uint8Array {
  prefixed.set(entry, 1);
  return sha256(prefixed.subarray(0, 1 + entry.length));
}

const joined = new Uint8Array(1 + 2 * HASH_BYTES).fill(1, 0, 1);

/** Like nodeHash in protocol/merkle.ts. */
export function joinHashes(left: Uint8Array, right: Uint8Array): Uint8Array {
  joined.set(left, 1);
  joined.set(right, 1 + HASH_BYTES);
  return sha256(joined);
}
