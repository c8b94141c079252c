import { sha256 } from "@noble/hashes/sha2.js";
import { concatBytes } from "../protocol/bytes.ts";
import type { EffectPlace } from "../protocol/messages/effect.ts";
import { encodeUtf8 } from "../protocol/text.ts";

const DOMAIN = "tabmesh/random/1";
const BLOCK_BYTES = 32;

function framed(text: string): Uint8Array {
  const bytes = encodeUtf8(text);
  return concatBytes(Uint8Array.of(bytes.length >> 8, bytes.length & 0xff), bytes);
}

/**
 * What randomness of a step follows from: the run, the node and the iteration. The attempt is left out, so that trying again
 * gives the same.
 */
export function randomMessage({
  run,
  node,
  iteration,
}: Pick<EffectPlace, "run" | "node" | "iteration">): Uint8Array {
  return concatBytes(framed(DOMAIN), framed(run), framed(node), framed(iteration));
}

/** SHA-256 in counter mode: block i is H(H(seed) ‖ u32be i). */
export function randomBytesFrom(seed: Uint8Array, length: number): Uint8Array {
  const key = sha256(seed);
  const blocks: Uint8Array[] = [];
  for (let index = 0; index * BLOCK_BYTES < length; index += 1) {
    const counter = Uint8Array.of(index >>> 24, (index >>> 16) & 0xff, (index >>> 8) & 0xff, index & 0xff);
    blocks.push(sha256(concatBytes(key, counter)));
  }
  return concatBytes(...blocks).slice(0, length);
}
