import type { FactorVector } from "../model/matrix.ts";
import { bitLength, magnitude, roundShift } from "../numerics/fixed-point.ts";
import { quantiseRow } from "../numerics/quantise.ts";
import { multiplyScales, reciprocalRoot, type Scale, timesPowerOfTwo } from "../numerics/scale.ts";

/** Bits to which a row is shifted down before its squares are added up. */
const SQUARED_BITS = 15;

/**
 * RMSNorm, `x * factor / sqrt(mean(x²) + epsilon)`, quantised. What does not depend on the place in the row only enters the
 * scale.
 * @param x i32[width] in Q16 @param epsilon `width * epsilon` in Q32 @param out i16[width] @returns the scale of `out`
 */
export function normRow(
  x: Int32Array,
  { values, fraction }: FactorVector,
  epsilon: number,
  rootWidth: Scale,
  out: Int16Array,
): Scale {
  let largest = 0;
  for (const value of x) largest = Math.max(largest, magnitude(value));
  const bits = Math.max(0, bitLength(largest) - SQUARED_BITS);
  const weighted = new Int32Array(x.length);
  // The sum of squares in units of 2^(2 * bits - 32), as high * 2^16 + low; epsilon comes in the same units.
  const offset = 2 * bits > 31 ? 0 : epsilon >>> (2 * bits);
  let high = offset >>> 16;
  let low = offset & 0xffff;
  for (let i = 0; i < x.length; i += 1) {
    const value = roundShift(x[i] ?? 0, bits);
    const square = Math.imul(value, value) >>> 0;
    high += square >>> 16;
    low += square & 0xffff;
    weighted[i] = Math.imul(value, values[i] ?? 0);
  }
  high = (high + (low >>> 16)) >>> 0;
  const scale = quantiseRow(weighted, out);
  const whole = multiplyScales(multiplyScales(scale, rootWidth), reciprocalRoot(high, low & 0xffff));
  return timesPowerOfTwo(whole, -fraction);
}
