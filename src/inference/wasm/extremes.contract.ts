/* Weights at the ends of what a file may have, for tests of sums. */
import { GROUP, LARGEST_ROW_SUM, type Matrix } from "../model/matrix.ts";

/** Of which sign the number at a place is. */
export type Sign = (place: number) => number;

export const SIGNS = {
  "all above zero": () => 1,
  "all below zero": () => -1,
  "by turns": (place: number) => (place % 2 === 0 ? 1 : -1),
  "in fours": (place: number) => (place % 8 < 4 ? 1 : -1),
} as const;

/** As large as a file may have them: weights of one size, multipliers as the row's bound leaves room. */
export function extreme(matrix: Matrix, sign: Sign): Matrix {
  const { rows, stride, columns, bits } = matrix;
  const values = new Int8Array(matrix.values.length);
  const multipliers = new Uint8Array((rows * stride) / GROUP).fill(
    Math.max(1, Math.min(63, Math.floor(LARGEST_ROW_SUM / 128 / columns))),
  );
  const [least, most] = bits === 8 ? [-128, 127] : [-8, 7];
  for (let n = 0; n < rows; n += 1)
    for (let k = 0; k < columns; k += 1) {
      const weight = sign(n + k) < 0 ? least : most;
      const at = ((n * stride + k) * bits) / 8;
      if (bits === 8) values[at] = weight;
      else values[at | 0]! |= (k & 1) === 0 ? weight & 15 : weight << 4;
    }
  return { ...matrix, values, multipliers };
}
