import { GROUP, type Matrix } from "../model/matrix.ts";
import { PLANE_BITS } from "../numerics/quantise.ts";
import { applyScale, multiplyScales, type Scale, timesPowerOfTwo } from "../numerics/scale.ts";

/** Weight at a place of two to a byte: the even one in the low half. */
function halfAt(values: Int8Array, place: number): number {
  const pair = values[place >> 1] ?? 0;
  return (place & 1) === 0 ? (pair << 28) >> 28 : pair >> 4;
}

/** Σ over groups of multiplier * Σ weight * activation: below 2^53 for every matrix that a converter makes. */
function dotProduct(
  { values, bits, stride, columns, multipliers }: Matrix,
  n: number,
  row: Int16Array,
): number {
  const first = n * stride;
  let sum = 0;
  for (let start = 0; start < columns; start += GROUP) {
    const end = Math.min(columns, start + GROUP);
    let part = 0;
    if (bits === 8) for (let k = start; k < end; k += 1) part += (values[first + k] ?? 0) * (row[k] ?? 0);
    else for (let k = start; k < end; k += 1) part += halfAt(values, first + k) * (row[k] ?? 0);
    sum += part * (multipliers[(first + start) / GROUP] ?? 0);
  }
  return sum;
}

/**
 * A matrix times a quantised row, in fixed point: `out[n] = matrix[n, :] · row * scale`.
 *
 * The exact sum loses its lowest plane to a floor, which kernels that add up the two planes apart can do as well, and then
 * takes both scales at once.
 * @param row i16[columns] @param scale of the row @param fraction bits of fraction of the result
 */
export function multiplyRow(matrix: Matrix, row: Int16Array, scale: Scale, fraction: number): Int32Array {
  const out = new Int32Array(matrix.rows);
  for (let n = 0; n < matrix.rows; n += 1) {
    const sum = Math.floor(dotProduct(matrix, n, row) / 2 ** PLANE_BITS) | 0;
    const both = timesPowerOfTwo(multiplyScales(scale, matrix.scales[n] ?? 0), PLANE_BITS);
    out[n] = applyScale(sum, both, fraction);
  }
  return out;
}
