import { bitLength, magnitude, shift } from "./fixed-point.ts";
import { multiplyScales, NO_SCALE, packScale, type Scale, scaleFrom } from "./scale.ts";

/**
 * Largest quantised activation: 14 bits with sign, so that it splits into two planes of 7 bits (`q = 128 * high + low` with
 * -64 <= high <= 63 and 0 <= low <= 127), which both fit the operands of every integer dot product there is.
 */
export const LARGEST_ACTIVATION = 8_191;

/** Bits of the lower plane. */
export const PLANE_BITS = 7;

/** 1 / 8191. */
const STEP: Scale = packScale(Math.round(2 ** 28 / LARGEST_ACTIVATION), -28);

/** Bits by which the quotient `8191 * 2^17 / largest` is above the quantised value. */
const QUOTIENT_BITS = 17;

/**
 * Quantises a row to its own range: `row[i] ~ out[i] * scale`, where |out[i]| <= 8191.
 *
 * The row is shifted so that its largest magnitude has 16 bits, then multiplied by an integer quotient and rounded.
 * @param row i32[n] of any fixed point: the scale is in units of its last bit
 * @returns the scale, NO_SCALE for a row of zeros
 */
export function quantiseRow(row: Int32Array, out: Int16Array): Scale {
  let largest = 0;
  for (const value of row) largest = Math.max(largest, magnitude(value));
  if (largest === 0) {
    out.fill(0, 0, row.length);
    return NO_SCALE;
  }
  const bits = bitLength(largest) - 16;
  const top = shift(largest | 0, bits) >>> 0;
  const quotient = Math.floor((LARGEST_ACTIVATION << QUOTIENT_BITS) / top);
  for (let i = 0; i < row.length; i += 1) {
    const product = Math.imul(shift(row[i] ?? 0, bits), quotient);
    out[i] = ((product + (1 << (QUOTIENT_BITS - 1))) | 0) >> QUOTIENT_BITS;
  }
  return multiplyScales(scaleFrom(top, bits), STEP);
}
