/* What sweep.wgsl computes, with the arithmetic of the reference. */
import {
  bitLength,
  magnitude,
  multiplyShift,
  roundShift,
  shift,
  squareRoot,
} from "../numerics/fixed-point.ts";
import {
  applyScale,
  multiplyScales,
  packScale,
  reciprocal,
  reciprocalRoot,
  scaleFrom,
} from "../numerics/scale.ts";
import { EDGES } from "./known-answer.ts";

function signedByte(x: number, byte: number): number {
  return (x << (24 - 8 * byte)) >> 24;
}

function dot4(a: number, b: number): number {
  let sum = 0;
  for (let byte = 0; byte < 4; byte += 1) sum += signedByte(a, byte) * signedByte(b, byte);
  return sum;
}

function operations(a: number, b: number): readonly number[] {
  const n = b % 41;
  const scale = packScale((a | 0x8000) & 0xffff, n);
  const other = packScale((b | 0x8000) & 0xffff, -n);
  return [
    roundShift(a, n),
    shift(a, Math.max(n, -31)),
    multiplyShift(a, b, 14),
    multiplyShift(a, b, 15),
    squareRoot(a >>> 0) ^ bitLength(b >>> 0),
    scaleFrom(a >>> 0, n),
    multiplyScales(scale, other),
    applyScale(a, other, 14),
    applyScale(a, other, -n),
    reciprocal((a | 1) >>> 0),
    reciprocalRoot(a >>> 0, b & 0xffff),
    dot4(a, b) + Math.imul(a, b) + magnitude(a),
  ];
}

export function sweepExpected(): Int32Array {
  return Int32Array.from(
    Array.from(EDGES).flatMap((a) => Array.from(EDGES).flatMap((b) => operations(a, b))),
  );
}
