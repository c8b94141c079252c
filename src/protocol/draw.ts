import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { PPM } from "./audit-policy.ts";
import { concatBytes } from "./bytes.ts";
import { encodeUtf8 } from "./text.ts";

/**
 * The lottery that decides which outcomes are opened (rule 3). Nobody can choose its result: the secret is committed in the
 * log before, and the entry's place and hash are fixed by others.
 */

/** HMAC-SHA-256 of data under a key: 32 bytes. The runtime's own where it is faster. */
export type Hmac = (key: Uint8Array, data: Uint8Array) => Uint8Array;

export const plainHmac: Hmac = (key, data) => hmac(sha256, key, data);

const DRAW_TAG = "tabmesh/draw/1";

function framed(text: string): Uint8Array {
  const utf8 = encodeUtf8(text);
  return concatBytes(Uint8Array.of(utf8.length >> 8, utf8.length & 0xff), utf8);
}

function u64(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value));
  return bytes;
}

/**
 * Seed of one entry's draw: HMAC(secret, tag ‖ origin ‖ u64 entryIndex ‖ entryHash), tag and origin each behind 16 bits of
 * length. @param entryHash leaf hash of the entry
 */
export function drawSeed(
  secret: Uint8Array,
  origin: string,
  entryIndex: number,
  entryHash: Uint8Array,
  mac: Hmac = plainHmac,
): Uint8Array {
  return mac(secret, concatBytes(framed(DRAW_TAG), framed(origin), u64(entryIndex), entryHash));
}

/**
 * The leaves in [first, end) that are drawn: leaf i iff the first 64 bits of HMAC(seed, u64 i) are below p_i · 2^64.
 * @param ratePpm p_i in parts per million, of the leaf at `first + offset`.
 */
export function drawnLeaves(
  seed: Uint8Array,
  first: number,
  end: number,
  ratePpm: (offset: number) => number,
  mac: Hmac = plainHmac,
): readonly number[] {
  const leaves: number[] = [];
  const place = new Uint8Array(8);
  const view = new DataView(place.buffer);
  for (let leaf = first; leaf < end; leaf += 1) {
    const rate = ratePpm(leaf - first);
    if (rate >= PPM) {
      leaves.push(leaf);
      continue;
    }
    if (rate <= 0) continue;
    view.setBigUint64(0, BigInt(leaf));
    if (isBelow(mac(seed, place), rate)) leaves.push(leaf);
  }
  return leaves;
}

const TWO_32 = 0x1_0000_0000;

/** Whether the first 64 bits of `lot`, times 10^6, are below rate · 2^64: exact, in halves of 32 bits. */
function isBelow(lot: Uint8Array, rate: number): boolean {
  const view = new DataView(lot.buffer, lot.byteOffset, 8);
  // rate · 2^64 = 10^6 · (high · 2^32 + low) + rest, with all terms below 2^53.
  const high = Math.floor((rate * TWO_32) / PPM);
  const rest = rate * TWO_32 - high * PPM;
  const own = view.getUint32(0);
  if (own !== high) return own < high;
  return view.getUint32(4) * PPM < rest * TWO_32;
}
