/**
 * 32-bit integer arithmetic with one meaning on every machine: i32 and u32 that wrap, no floats. WGSL, WebAssembly and
 * JavaScript's `| 0`, `>>> 0` and `Math.imul` agree on all of it. docs/numerics.md has the bounds.
 */

/** Number of bits of an unsigned 32-bit number; 0 for 0. */
export function bitLength(x: number): number {
  return 32 - Math.clz32(x);
}

/** Absolute value as u32: that of -2^31 is 2^31. */
export function magnitude(x: number): number {
  return (x < 0 ? -x : x) >>> 0;
}

/** `x / 2^bits`, rounded half up: the last bit that is shifted out is added. @param bits 0 or less leaves x, 32 or more give 0 */
export function roundShift(x: number, bits: number): number {
  if (bits <= 0) return x;
  if (bits > 31) return 0;
  return (x >> bits) + ((x >> (bits - 1)) & 1);
}

/** Shifts right with rounding, or left where `bits` is negative (-31 at least). */
export function shift(x: number, bits: number): number {
  return bits > 0 ? roundShift(x, bits) : x << -bits;
}

/** `a * b / 2^bits` with the whole 64-bit product, cut towards zero; the result wraps. @param bits 1 to 31 */
export function multiplyShift(a: number, b: number, bits: number): number {
  const [high, low] = product64(magnitude(a), magnitude(b));
  const cut = (high << (32 - bits)) | (low >>> bits) | 0;
  return a < 0 !== b < 0 ? -cut | 0 : cut;
}

/** The 64-bit product of two u32, from four products of halves. */
function product64(a: number, b: number): readonly [high: number, low: number] {
  const a1 = a >>> 16;
  const a0 = a & 0xffff;
  const b1 = b >>> 16;
  const b0 = b & 0xffff;
  const p00 = Math.imul(a0, b0) >>> 0;
  const p01 = Math.imul(a0, b1) >>> 0;
  const p10 = Math.imul(a1, b0) >>> 0;
  const middle = (p00 >>> 16) + (p01 & 0xffff) + (p10 & 0xffff);
  const low = ((p00 & 0xffff) | (middle << 16)) >>> 0;
  const high = (Math.imul(a1, b1) + (p01 >>> 16) + (p10 >>> 16) + (middle >>> 16)) >>> 0;
  return [high, low];
}

/** floor(sqrt(x)) of a u32, one bit a step. */
export function squareRoot(x: number): number {
  let rest = x >>> 0;
  let root = 0;
  for (let bit = 0x4000_0000; bit > 0; bit >>>= 2) {
    const trial = (root + bit) >>> 0;
    root >>>= 1;
    if (rest >= trial) {
      rest = (rest - trial) >>> 0;
      root = (root + bit) >>> 0;
    }
  }
  return root;
}
