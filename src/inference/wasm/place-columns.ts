import type { Affine } from "../model/encoder-model.ts";
import { GROUP, type Matrix } from "../model/matrix.ts";
import type { Arena } from "./arena.ts";
import { roundUp } from "./place-model.ts";

/** Outputs side by side, as kernels/sparse.h has them. */
const BLOCK = 32;

/** A matrix by columns whose place is known. */
export interface PlacedColumns {
  /** i16[blocks, columns, BLOCK]. */
  readonly weights: number;
  readonly matrix: Matrix;
}

/**
 * Places the structure `Columns` of kernels/sparse.h: weights times multipliers, in 16 bits. That is twice the bytes of 8-bit
 * weights, for a product that leaves out what is multiplied by zero.
 */
export function placeColumns(arena: Arena, placed: PlacedColumns[], { matrix, bias }: Affine): number {
  const { rows, columns, scales } = matrix;
  const blocks = Math.ceil(rows / BLOCK);
  const weights = arena.reserve(2 * blocks * BLOCK * columns);
  placed.push({ weights, matrix });
  return arena.words([
    blocks,
    columns,
    weights,
    arena.place(scales, 4 * blocks * BLOCK),
    arena.place(bias, 4 * blocks * BLOCK),
  ]);
}

/** Puts a matrix where it was placed. */
export function packColumns({ buffer }: WebAssembly.Memory, { weights, matrix }: PlacedColumns): void {
  const { rows, columns, stride, bits, values, multipliers } = matrix;
  const out = new Int16Array(buffer, weights, roundUp(rows, BLOCK) * columns);
  for (let n = 0; n < rows; n += 1) {
    const block = (n - (n % BLOCK)) * columns + (n % BLOCK);
    for (let k = 0; k < columns; k += 1) {
      const place = n * stride + k;
      const weight = bits === 8 ? (values[place] ?? 0) : halfOf(values[place >> 1] ?? 0, place);
      out[block + k * BLOCK] = weight * (multipliers[(place - (k % GROUP)) / GROUP] ?? 0);
    }
  }
}

/** A weight of 4 bits: the even one is in the low half. */
function halfOf(pair: number, place: number): number {
  return (place & 1) === 0 ? (pair << 28) >> 28 : pair >> 4;
}
