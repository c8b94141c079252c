import type { LayerNorm } from "../model/encoder-model.ts";
import { bitLength, magnitude, roundShift } from "../numerics/fixed-point.ts";
import { quantiseRow } from "../numerics/quantise.ts";
import {
  applyScale,
  multiplyScales,
  reciprocalRoot,
  type Scale,
  timesPowerOfTwo,
} from "../numerics/scale.ts";
import { RESIDUAL_FRACTION } from "../numerics/tables.ts";

/** Bits of `width * value`, so that the difference of two stays in i32. */
const CENTRED_BITS = 30;
/** Bits to which centred values are shifted down before their squares are added up. */
const SQUARED_BITS = 15;

/**
 * LayerNorm, quantised. Values are centred without a division, `width * x - Σ x`, which is exact but for the shift that
 * keeps it in i32; the factor `width` is one with what the root divides by.
 * @param x i32[width] in Q16 @param out i16[width] @returns the scale of `out`
 */
export function layerNormRow(x: Int32Array, norm: LayerNorm, out: Int16Array): Scale {
  const width = x.length;
  const row = new Int32Array(width);
  const first = Math.max(0, bitLength(largestOf(x)) + bitLength(width) - CENTRED_BITS);
  let sum = 0;
  for (let i = 0; i < width; i += 1) {
    row[i] = roundShift(x[i] ?? 0, first);
    sum += row[i] ?? 0;
  }
  for (let i = 0; i < width; i += 1) row[i] = Math.imul(row[i] ?? 0, width) - sum;
  const second = Math.max(0, bitLength(largestOf(row)) - SQUARED_BITS);
  // Sum of squares, and epsilon in the same units, as high * 2^16 + low.
  const bits = first + second;
  let high = 2 * bits > 31 ? 0 : norm.epsilon >>> (2 * bits);
  let low = 0;
  for (let i = 0; i < width; i += 1) {
    const value = roundShift(row[i] ?? 0, second);
    const square = Math.imul(value, value) >>> 0;
    high += square >>> 16;
    low += square & 0xffff;
    row[i] = Math.imul(value, norm.factors.values[i] ?? 0);
  }
  high = (high + (low >>> 16)) >>> 0;
  const root = multiplyScales(norm.rootWidth, reciprocalRoot(high, low & 0xffff));
  const scale = timesPowerOfTwo(root, -norm.factors.fraction);
  for (let i = 0; i < width; i += 1)
    row[i] = (applyScale(row[i] ?? 0, scale, RESIDUAL_FRACTION) + (norm.offsets[i] ?? 0)) | 0;
  return timesPowerOfTwo(quantiseRow(row, out), -RESIDUAL_FRACTION);
}

function largestOf(row: Int32Array): number {
  let largest = 0;
  for (const value of row) largest = Math.max(largest, magnitude(value));
  return largest;
}
