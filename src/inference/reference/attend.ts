import { bitLength } from "../numerics/fixed-point.ts";
import { PLANE_BITS } from "../numerics/quantise.ts";
import {
  applyScale,
  exponentOf,
  mantissaOf,
  multiplyScales,
  packScale,
  reciprocal,
  type Scale,
  timesPowerOfTwo,
} from "../numerics/scale.ts";
import { ACTIVATION_FRACTION, exp2Negative, SCORE_FRACTION } from "../numerics/tables.ts";

/** Keys or values of one head: i16[positions, headSize] with a scale per position. */
export interface HeadHistory {
  readonly values: Int16Array;
  readonly scales: Uint32Array;
}

/** Weights are cut so that their sum has at most this many bits: times a plane of 7 bits it stays in i32. */
const WEIGHT_SUM_BITS = 24;

/**
 * Attention of one head over positions 0 to `count - 1`: softmax(query · keys) · values.
 *
 * Scores are in units of log2, so softmax is powers of two by table; the largest is subtracted exactly. Weights take in the
 * values' scales, brought to the largest exponent among them, so that the sum over positions is one of integers.
 * @param query i16[headSize] @param queryScale its scale times log2(e) / sqrt(headSize)
 * @param out i32[headSize], in Q14
 */
export function attend(
  query: Int16Array,
  queryScale: Scale,
  keys: HeadHistory,
  values: HeadHistory,
  count: number,
  exp2Table: Int32Array,
  out: Int32Array,
): void {
  const size = query.length;
  const weights = new Int32Array(count);
  let largest = -(2 ** 31);
  let exponent = -32_768;
  for (let at = 0; at < count; at += 1) {
    let sum = 0;
    for (let i = 0; i < size; i += 1) sum += (query[i] ?? 0) * (keys.values[at * size + i] ?? 0);
    const scale = timesPowerOfTwo(multiplyScales(queryScale, keys.scales[at] ?? 0), PLANE_BITS);
    const score = applyScale(Math.floor(sum / 2 ** PLANE_BITS) | 0, scale, SCORE_FRACTION);
    weights[at] = score;
    largest = Math.max(largest, score);
    exponent = Math.max(exponent, exponentOf(values.scales[at] ?? 0));
  }
  let total = 0;
  let weighted = 0;
  for (let at = 0; at < count; at += 1) {
    const power = exp2Negative((largest - (weights[at] ?? 0)) >>> 0, exp2Table);
    total += power;
    const scale = values.scales[at] ?? 0;
    const behind = exponent - exponentOf(scale);
    const weight = behind > 15 ? 0 : (Math.imul(power, mantissaOf(scale)) >>> 16) >>> behind;
    weights[at] = weight;
    weighted += weight;
  }
  const cut = Math.max(0, bitLength(weighted) - WEIGHT_SUM_BITS);
  const share = reciprocal(total);
  const scale = packScale(mantissaOf(share), exponentOf(share) + exponent + 16 + cut + PLANE_BITS);
  for (let i = 0; i < size; i += 1) {
    let sum = 0;
    for (let at = 0; at < count; at += 1)
      sum += ((weights[at] ?? 0) >>> cut) * (values.values[at * size + i] ?? 0);
    out[i] = applyScale(Math.floor(sum / 2 ** PLANE_BITS) | 0, scale, ACTIVATION_FRACTION);
  }
}
