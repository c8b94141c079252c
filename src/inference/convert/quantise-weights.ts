import {
  GROUP,
  type EmbeddingTable,
  type FactorVector,
  LARGEST_MULTIPLIER,
  LARGEST_ROW_SUM,
  type Matrix,
  strideOf,
} from "../model/matrix.ts";
import { exponentOf, mantissaOf, packScale, NO_SCALE, type Scale } from "../numerics/scale.ts";

/** Offline, so floats are allowed here: what comes out is shipped and hashed. */

/** Largest and least stored weight, by bits. */
const LARGEST_WEIGHT = { 4: 7, 8: 127 } as const;
const LEAST_WEIGHT = { 4: -8, 8: -127 } as const;

/**
 * With four bits, a group is better off with a finer step that cuts its largest weights: multipliers down to this part of the
 * one that cuts none are tried. On normally distributed weights that and -8 gain 1.2 dB, and a Q4_0 file finds its own steps again; with
 * eight bits there is nothing to gain.
 */
const FINEST_PART = 0.6;

/** The nearest scale. @throws RangeError for what is no positive, finite number */
export function scaleOf(value: number): Scale {
  if (value === 0) return NO_SCALE;
  if (!(value > 0 && Number.isFinite(value))) throw new RangeError(`${value} is not a scale`);
  let exponent = Math.floor(Math.log2(value)) - 15;
  let mantissa = Math.round(value / 2 ** exponent);
  if (mantissa >= 2 ** 16) {
    exponent += 1;
    mantissa = Math.round(value / 2 ** exponent);
  } else if (mantissa < 2 ** 15) {
    exponent -= 1;
    mantissa = Math.round(value / 2 ** exponent);
  }
  return packScale(mantissa, exponent);
}

export function valueOf(scale: Scale): number {
  return mantissaOf(scale) * 2 ** exponentOf(scale);
}

function largestOf(values: Float32Array): number {
  let largest = 0;
  for (const value of values) largest = Math.max(largest, Math.abs(value));
  if (!Number.isFinite(largest)) throw new RangeError("a weight is not a finite number");
  return largest;
}

/** @param weights f32[rows, columns], row-major */
export function quantiseMatrix(weights: Float32Array, rows: number, columns: number, bits: 4 | 8): Matrix {
  const matrix = emptyMatrix(rows, columns, bits);
  quantiseRows(matrix, 0, weights);
  return matrix;
}

export function emptyMatrix(rows: number, columns: number, bits: 4 | 8): Matrix {
  const stride = strideOf(columns);
  const values = new Int8Array((rows * stride * bits) / 8);
  const multipliers = new Uint8Array((rows * stride) / GROUP).fill(1);
  return { rows, columns, stride, values, bits, multipliers, scales: new Uint32Array(rows) };
}

/** Quantises rows from `first` on; none depends on another. @param weights f32[n, columns] */
export function quantiseRows(matrix: Matrix, first: number, weights: Float32Array): void {
  const { columns } = matrix;
  for (let n = 0; n * columns < weights.length; n += 1) {
    const row = weights.subarray(n * columns, (n + 1) * columns);
    let finest = LARGEST_MULTIPLIER;
    while (quantiseMatrixRow(matrix, first + n, row, finest) > LARGEST_ROW_SUM)
      finest = Math.floor(finest / 2);
  }
}

/** Quantises one row with multipliers up to `finest`; returns its Σ multiplier * |weight|. */
function quantiseMatrixRow(matrix: Matrix, n: number, row: Float32Array, finest: number): number {
  const { stride, bits, multipliers, scales } = matrix;
  if (finest < 1) throw new RangeError(`row ${n} is too long to be added up in 32 bits`);
  const most = LARGEST_WEIGHT[bits];
  const scale = scaleOf(largestOf(row) / most / finest);
  const step = valueOf(scale);
  scales[n] = scale;
  let sum = 0;
  for (let start = 0; start < row.length; start += GROUP) {
    const group = row.subarray(start, start + GROUP);
    const whole = Math.max(1, Math.min(finest, Math.ceil(largestOf(group) / most / step - 1e-3)));
    const multiplier = bits === 8 ? whole : closestMultiplier(group, step, whole);
    multipliers[(n * stride + start) / GROUP] = multiplier;
    for (let k = 0; k < group.length; k += 1) {
      const weight = storedWeight((group[k] ?? 0) / (step * multiplier), bits);
      setWeight(matrix, n * stride + start + k, weight);
      sum += multiplier * Math.abs(weight);
    }
  }
  return sum;
}

function storedWeight(steps: number, bits: 4 | 8): number {
  return Math.max(LEAST_WEIGHT[bits], Math.min(LARGEST_WEIGHT[bits], Math.round(steps)));
}

/** That with the least sum of squared errors in four bits. @param whole the multiplier that cuts no weight */
function closestMultiplier(group: Float32Array, step: number, whole: number): number {
  let closest = whole;
  let least = Infinity;
  for (let multiplier = whole; multiplier >= whole * FINEST_PART; multiplier -= 1) {
    const size = step * multiplier;
    const errors = size * size * errorsOf(group, 1 / size, least / (size * size));
    if (errors < least) [closest, least] = [multiplier, errors];
  }
  return closest;
}

/** Sum of squared errors, in steps, of weights times `scale` in four bits; given up where it is above `enough`. */
function errorsOf(group: Float32Array, scale: number, enough: number): number {
  let errors = 0;
  for (let k = 0; k < group.length && errors < enough; k += 1) {
    const exact = (group[k] ?? 0) * scale;
    const whole = Math.floor(exact + 0.5);
    const error = exact - (whole > 7 ? 7 : whole < -8 ? -8 : whole);
    errors += error * error;
  }
  return errors;
}

function setWeight({ values, bits }: Matrix, place: number, weight: number): void {
  if (bits === 8) {
    values[place] = weight;
    return;
  }
  const at = place >> 1;
  const pair = values[at] ?? 0;
  values[at] = (place & 1) === 0 ? (pair & ~0xf) | (weight & 0xf) : (pair & 0xf) | (weight << 4);
}

/** @param weights f32[rows, columns] */
export function quantiseEmbeddings(weights: Float32Array, rows: number, columns: number): EmbeddingTable {
  const table = emptyEmbeddings(rows, columns);
  quantiseEmbeddingRows(table, 0, weights);
  return table;
}

export function emptyEmbeddings(rows: number, columns: number): EmbeddingTable {
  return { rows, columns, values: new Int16Array(rows * columns), scales: new Uint32Array(rows) };
}

/** Quantises rows from `first` on. @param weights f32[n, columns] */
export function quantiseEmbeddingRows(table: EmbeddingTable, first: number, weights: Float32Array): void {
  const { columns, values, scales } = table;
  for (let n = 0; n * columns < weights.length; n += 1) {
    const row = weights.subarray(n * columns, (n + 1) * columns);
    const scale = scaleOf(largestOf(row) / 32_767);
    const step = valueOf(scale);
    scales[first + n] = scale;
    for (let k = 0; k < columns; k += 1)
      values[(first + n) * columns + k] = Math.max(
        -32_767,
        Math.min(32_767, Math.round((row[k] ?? 0) / step)),
      );
  }
}

/** As much fraction as the largest factor leaves of 16 bits, 14 at most. */
export function quantiseFactors(factors: Float32Array): FactorVector {
  const largest = largestOf(factors);
  if (largest > 32_767) throw new RangeError(`a factor of ${largest} is above 32,767`);
  let fraction = 14;
  while (largest * 2 ** fraction > 32_767) fraction -= 1;
  return { values: Int16Array.from(factors, (factor) => Math.round(factor * 2 ** fraction)), fraction };
}
