import { sha256 } from "@noble/hashes/sha2.js";
import { concatBytes } from "../bytes.ts";
import { type Cid, cidOf, RAW } from "../cid.ts";
import { BURN_MODULE } from "./burn-module.ts";

/** What a challenge has its function do: instructions one after the other, or memory. */
export type BurnEntry = "burn" | "fill";

/** The function of challenges as it is loaded into a sandbox: interface `bytes-1`, from burn.wat. */
export interface BurnFunction {
  readonly cid: Cid;
  readonly module: Uint8Array<ArrayBuffer>;
}

export function burnFunction(): BurnFunction {
  const module = Uint8Array.from({ length: BURN_MODULE.length / 2 }, (_, at) =>
    Number.parseInt(BURN_MODULE.slice(2 * at, 2 * at + 2), 16),
  );
  return { cid: cidOf(RAW, module), module };
}

/** @param seed 32 bytes @param amount iterations of `burn`, MiB of `fill` */
export function burnInput(seed: Uint8Array, amount: number): Uint8Array<ArrayBuffer> {
  const input = new Uint8Array(seed.length + 4);
  input.set(seed);
  new DataView(input.buffer).setUint32(seed.length, amount, true);
  return input;
}

/** Linear memory that the function needs, bytes: `fill` has one page besides what it fills. */
export function burnMemory(entry: BurnEntry, amount: number): number {
  return (entry === "fill" ? amount * 1024 * 1024 : 0) + 65_536;
}

/** The answer to a challenge. @param outputs of its lanes in their order, 32 bytes each */
export function challengeDigest(nonce: Uint8Array, outputs: readonly Uint8Array[]): Uint8Array {
  return sha256(concatBytes(nonce, ...outputs));
}

/**
 * Bytes that no line makes smaller, for `upstream`; their SHA-256 is the lane's output. Xorshift on four words that the seed's
 * first 16 bytes are, big-endian, the lowest bit of the first one set; each new word is written big-endian.
 * @param count a multiple of 4
 */
export function upstreamBytes(seed: Uint8Array, count: number): Uint8Array<ArrayBuffer> {
  const words = new DataView(seed.buffer, seed.byteOffset, seed.byteLength);
  let [x, y, z, w] = [words.getUint32(0) | 1, words.getUint32(4), words.getUint32(8), words.getUint32(12)];
  const bytes = new Uint8Array(count);
  const out = new DataView(bytes.buffer);
  for (let at = 0; at < count; at += 4) {
    const mixed = x ^ (x << 11);
    x = y;
    y = z;
    z = w;
    w = (w ^ (w >>> 19) ^ mixed ^ (mixed >>> 8)) >>> 0;
    out.setUint32(at, w);
  }
  return bytes;
}

/** Output of the lane of an `upstream` challenge. */
export function upstreamOutput(bytes: Uint8Array): Uint8Array {
  return sha256(bytes);
}
