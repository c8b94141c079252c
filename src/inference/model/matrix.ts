/** Weights that share one multiplier. */
export const GROUP = 32;
/** Largest multiplier of a group. */
export const LARGEST_MULTIPLIER = 63;

/**
 * Σ multiplier * |weight| of a row is at most this, so that neither plane of activations can take a sum out of i32, in
 * whatever order it is added up: 2^31 / 128, the largest magnitude of a plane's value.
 */
export const LARGEST_ROW_SUM: number = 2 ** 24 - 1;

/**
 * A quantised matrix, row-major: `weight[n, k] ~ values[n, k] * multipliers[n, k / 32] * scales[n]`. Multipliers are
 * integers, so that a dot product stays exact and linear until the row's scale is applied once.
 */
export interface Matrix {
  /** Outputs. */
  readonly rows: number;
  /** Inputs. */
  readonly columns: number;
  /** Inputs rounded up to whole groups; what is beyond `columns` is 0. */
  readonly stride: number;
  /** i8[rows, stride]. With 4 bits: u8[rows, stride / 2], the even column in the low half, each in [-8, 7]. */
  readonly values: Int8Array;
  readonly bits: 4 | 8;
  /** u8[rows, stride / 32], 1 to 63. */
  readonly multipliers: Uint8Array;
  /** Scale[rows]. */
  readonly scales: Uint32Array;
}

/** A vector of factors in fixed point: i16[n] with `fraction` bits of fraction. */
export interface FactorVector {
  readonly values: Int16Array;
  readonly fraction: number;
}

/** Rows of 16 bits, `row[n, k] ~ values[n, k] * scales[n]`: embeddings, where 8 bits lose too much to outlier channels. */
export interface EmbeddingTable {
  readonly rows: number;
  readonly columns: number;
  readonly values: Int16Array;
  readonly scales: Uint32Array;
}

/** Columns of a matrix rounded up to whole groups. */
export function strideOf(columns: number): number {
  return Math.ceil(columns / GROUP) * GROUP;
}
