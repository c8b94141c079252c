import type { RowsKernel } from "./kernels.ts";

/** Which variants of kernels a device runs. All give the same bits. */
export interface Choice {
  /** For several rows. */
  readonly rows: RowsKernel;
  /** For one row: threads that share two outputs. */
  readonly slices: 1 | 8;
}

/** Without memory of workgroups, and through it. Every variant is in one of them. */
export const CHOICES: readonly Choice[] = [
  { rows: "multiply", slices: 1 },
  { rows: "multiply-tile", slices: 8 },
];
