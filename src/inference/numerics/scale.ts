import { bitLength, roundShift, squareRoot } from "./fixed-point.ts";

/**
 * A positive real number `mantissa * 2^exponent` in one u32: the mantissa, of 16 bits with the highest one set, in the low
 * half, the exponent plus 32,768 in the high half. What connects integers of different ranges, never added to anything.
 */
export type Scale = number;

const EXPONENT_BIAS = 32_768;

/** Stands for 0: so small that whatever it is applied to becomes 0. */
export const NO_SCALE: Scale = packScale(0x8000, -200);

/** @param mantissa in [2^15, 2^16) */
export function packScale(mantissa: number, exponent: number): Scale {
  return ((mantissa & 0xffff) | ((exponent + EXPONENT_BIAS) << 16)) >>> 0;
}

export function mantissaOf(scale: Scale): number {
  return scale & 0xffff;
}

export function exponentOf(scale: Scale): number {
  return (scale >>> 16) - EXPONENT_BIAS;
}

/** The scale times 2^bits. */
export function timesPowerOfTwo(scale: Scale, bits: number): Scale {
  return packScale(mantissaOf(scale), exponentOf(scale) + bits);
}

/** `x * 2^exponent` for a u32; bits beyond 16 are cut. */
export function scaleFrom(x: number, exponent: number): Scale {
  if (x === 0) return NO_SCALE;
  const bits = bitLength(x);
  const mantissa = bits > 16 ? x >>> (bits - 16) : x << (16 - bits);
  return packScale(mantissa, exponent + bits - 16);
}

/** The product; bits beyond 16 are cut. */
export function multiplyScales(a: Scale, b: Scale): Scale {
  const product = Math.imul(mantissaOf(a), mantissaOf(b)) >>> 0;
  const exponent = exponentOf(a) + exponentOf(b);
  return product >= 0x8000_0000
    ? packScale(product >>> 16, exponent + 16)
    : packScale(product >>> 15, exponent + 15);
}

/**
 * `x * scale` in fixed point with `fractionBits` bits of fraction. The product of 48 bits loses its low 16 to a floor,
 * then is rounded half up. Results beyond i32 wrap; one that would have to grow by more than 2^16 is 0.
 */
export function applyScale(x: number, scale: Scale, fractionBits: number): number {
  const mantissa = mantissaOf(scale);
  const right = -(exponentOf(scale) + fractionBits) - 16;
  const low = Math.imul(x & 0xffff, mantissa) >>> 0;
  const high = (Math.imul(x >> 16, mantissa) + (low >>> 16)) | 0;
  if (right >= 0) return roundShift(high, right);
  if (right < -16) return 0;
  return (high << -right) | ((low & 0xffff) >>> (16 + right));
}

/** 1 / x for a u32 other than 0. */
export function reciprocal(x: number): Scale {
  const normal = scaleFrom(x, 0);
  return scaleFrom(Math.floor(0x8000_0000 / mantissaOf(normal)), -31 - exponentOf(normal));
}

/** 1 / sqrt(high * 2^16 + low). @param high below 2^32 @param low below 2^16 */
export function reciprocalRoot(high: number, low: number): Scale {
  if (high === 0 && low === 0) return packScale(0x8000, 0);
  const bits = high === 0 ? bitLength(low) : bitLength(high) + 16;
  // The sum as m * 2^t with an even t and m in [2^30, 2^32).
  const t = (bits - 32 + 1) & ~1;
  const m = t > 0 ? ((high << (16 - t)) | (low >>> t)) >>> 0 : (((high << 16) | low) << -t) >>> 0;
  return scaleFrom(Math.floor(0x8000_0000 / squareRoot(m)), -31 - (t >> 1));
}
