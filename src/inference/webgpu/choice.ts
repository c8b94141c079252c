import type { RowsKernel } from "./kernels.ts";

/** Which variants of kernels a device runs. All give the same bits. */
export interface Choice {
  /** For several rows. */
  readonly rows: RowsKernel;
  /** For one row: threads that share an output. */
  readonly slices: 1 | 4 | 16;
}

/** Every way to compute products. */
export const CHOICES: {
  readonly rows: readonly Choice["rows"][];
  readonly slices: readonly Choice["slices"][];
} = { rows: ["multiply", "multiply-tile"], slices: [1, 4, 16] };

export const FIRST_CHOICE: Choice = { rows: "multiply", slices: 1 };
