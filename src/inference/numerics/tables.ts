/**
 * Functions by table and linear interpolation. The tables are part of a model's file and of its hash: engines do not agree
 * on the bits of Math.exp and Math.cos.
 */

/** 2^-x for x in [0, 1], 257 entries in Q16, and one more for the last interpolation. */
export const EXP2_ENTRIES = 258;
/** 1 / (1 + e^-x) for x in [0, 16], 64 entries per unit in Q15, and one more. */
export const SIGMOID_ENTRIES = 1_026;

/** Fraction bits of activations between matrices: queries, keys, values, gates. */
export const ACTIVATION_FRACTION = 14;
/** Fraction bits of the residual stream. */
export const RESIDUAL_FRACTION = 16;
/** Fraction bits of attention scores, in units of log2. */
export const SCORE_FRACTION = 16;
/** Fraction bits of sines and cosines, of sigmoids and of the exponentials of scores. */
export const UNIT_FRACTION = 15;

/** 2^-x in Q15. @param x in Q16, at least 0 @param table EXP2_ENTRIES values in Q16 */
export function exp2Negative(x: number, table: Int32Array): number {
  const whole = x >>> 16;
  if (whole >= 16) return 0;
  const place = (x & 0xffff) >>> 8;
  const a = table[place] ?? 0;
  const b = table[place + 1] ?? 0;
  const value = a - ((Math.imul(a - b, x & 0xff) + 128) >> 8);
  return (value + (1 << whole)) >>> (whole + 1);
}

/** 1 / (1 + e^-x) in Q15. @param x in Q14 @param table SIGMOID_ENTRIES values in Q15 */
export function sigmoid(x: number, table: Int32Array): number {
  const size = (x < 0 ? -x : x) >>> 0;
  const place = size >>> 8;
  const one = 1 << UNIT_FRACTION;
  let value = one;
  if (place < SIGMOID_ENTRIES - 2) {
    const a = table[place] ?? 0;
    const b = table[place + 1] ?? 0;
    value = a + ((Math.imul(b - a, size & 0xff) + 128) >> 8);
  }
  return x < 0 ? one - value : value;
}
