import type { LlamaModel } from "../model/llama-model.ts";
import { bitLength, magnitude, shift } from "../numerics/fixed-point.ts";
import { quantiseRow } from "../numerics/quantise.ts";
import { NO_SCALE, type Scale, timesPowerOfTwo } from "../numerics/scale.ts";
import { ACTIVATION_FRACTION, UNIT_FRACTION } from "../numerics/tables.ts";

/** Bits to which a head is brought before it is turned. */
const TURNED_BITS = 14;

/**
 * Turns a head by its position (RoPE) and quantises it.
 * @param head i32[headSize] in Q14 @param out i16[headSize] @returns the scale of `out`
 */
export function turnHead(
  { shape, cosines, sines }: Pick<LlamaModel, "shape" | "cosines" | "sines">,
  head: Int32Array,
  position: number,
  out: Int16Array,
): Scale {
  const half = shape.headSize / 2;
  let largest = 0;
  for (const value of head) largest = Math.max(largest, magnitude(value));
  const bits = bitLength(largest) - TURNED_BITS;
  const turned = new Int32Array(head.length);
  for (let pair = 0; pair < half; pair += 1) {
    const [i, j] = shape.rotation === "halves" ? [pair, pair + half] : [2 * pair, 2 * pair + 1];
    const a = shift(head[i] ?? 0, bits);
    const b = shift(head[j] ?? 0, bits);
    const cosine = cosines[position * half + pair] ?? 0;
    const sine = sines[position * half + pair] ?? 0;
    turned[i] = (Math.imul(a, cosine) - Math.imul(b, sine)) | 0;
    turned[j] = (Math.imul(a, sine) + Math.imul(b, cosine)) | 0;
  }
  const scale = quantiseRow(turned, out);
  return scale === NO_SCALE ? scale : timesPowerOfTwo(scale, bits - UNIT_FRACTION - ACTIVATION_FRACTION);
}

/** Quantises a head that does not turn. @param head i32[headSize] in Q14 @returns the scale of `out` */
export function keepHead(head: Int32Array, out: Int16Array): Scale {
  return timesPowerOfTwo(quantiseRow(head, out), -ACTIVATION_FRACTION);
}
