import type { BufferMaker } from "./buffer-maker.ts";
import type { Choice } from "./choice.ts";
import {
  type Constants,
  type KernelCache,
  type KernelName,
  type RowKernel,
  type RowsKernel,
} from "./kernels.ts";
import { ROW_TILE } from "./limits.ts";
import type { MatrixBuffers, MatrixPart } from "./upload-matrix.ts";

/** Rows of a batch, and the position of the first. */
export interface Batch {
  readonly rows: number;
  readonly first: number;
}

/** One grid of workgroups, which may be cut into several dispatches, anywhere. */
export interface Step {
  readonly pipeline: GPUComputePipeline;
  readonly bindings: GPUBindGroup;
  /** Workgroups along x and y. */
  readonly grid: (rows: number) => readonly [x: number, y: number];
  /** Multiply-adds of a workgroup, or what takes as long, about. */
  readonly work: (batch: Batch) => number;
}

/** Where a row comes from. The first three are one kernel, which also multiplies it where it is alone. */
export type FusedSource = "plain" | "norm" | "gate";
export type RowSource = FusedSource | "layer-norm" | "mean";

/** A row of integers to be quantised. Buffers are by their bindings. */
export interface Row<Source extends RowSource = RowSource> {
  readonly source: Source;
  readonly columns: number;
  /** Bits of fraction of its values, or of a norm's factors. */
  readonly fraction: number;
  readonly positive?: boolean;
  readonly epsilon?: number;
  readonly rootWidth?: number;
  readonly buffers: Readonly<Record<number, GPUBuffer>>;
}

/** Where products go. */
export interface Target {
  readonly results: GPUBuffer;
  readonly fraction: number;
  readonly adds?: boolean;
}

const THREADS = 64;
/** To quantise a value takes as long as so many multiply-adds of a product of several rows, measured on a software adapter. */
const OPERATIONS_OF_VALUE = 144;
/** So does a multiply-add of a single row. */
const OPERATIONS_OF_ONE = 2.5;

type Bindings = Readonly<Record<number, GPUBuffer | readonly number[]>>;

interface StepOptions {
  readonly name: KernelName;
  readonly constants?: Constants;
  readonly grid: Step["grid"];
  readonly work: Step["work"];
  /** Buffers, and words of uniforms, by binding. */
  readonly bindings: Bindings;
}

/** Compiles kernels and binds them to buffers. */
export class Planner {
  readonly maker: BufferMaker;
  readonly #device: GPUDevice;
  readonly #kernels: KernelCache;
  readonly #choice: Choice;
  readonly #planes: GPUBuffer;
  readonly #rowScales: GPUBuffer;

  /** @param rows of the largest batch @param longest row that is quantised, in columns */
  constructor(
    device: GPUDevice,
    kernels: KernelCache,
    choice: Choice,
    maker: BufferMaker,
    rows: number,
    longest: number,
  ) {
    this.maker = maker;
    this.#device = device;
    this.#kernels = kernels;
    this.#choice = choice;
    const tiledRows = Math.ceil(rows / ROW_TILE) * ROW_TILE;
    this.#planes = maker.words(tiledRows * Math.ceil(longest / 32) * ROW_WORDS[choice.rows]);
    this.#rowScales = maker.words(tiledRows);
  }

  /** Rows times a matrix. */
  products(row: Row, matrix: MatrixBuffers, target: Target): Promise<Step>[] {
    const name = this.#choice.rows;
    const quantise = this.step({
      name: SOURCES[row.source].kernel,
      grid: perRow,
      work: () => row.columns * OPERATIONS_OF_VALUE,
      bindings: {
        ...row.buffers,
        0: rowShape(row, matrix, ROW_WORDS[name] === 32),
        4: this.#planes,
        5: this.#rowScales,
      },
    });
    const [outputs, rows] = TILES[name];
    const multiply = (part: MatrixPart): Promise<Step> =>
      this.step({
        name,
        constants: constantsOfRows(matrix.bits),
        grid: (count) => [Math.ceil(part.outputs / outputs), Math.ceil(count / rows)],
        work: () => outputs * rows * matrix.groups * 32,
        bindings: {
          ...matrixBindings(matrix, part, target),
          2: this.#planes,
          3: this.#rowScales,
        },
      });
    return [quantise, ...matrix.parts.map(multiply)];
  }

  /** A single row times a matrix, in fewer steps. */
  productsOfOne(row: Row<FusedSource>, matrix: MatrixBuffers, target: Target): Promise<Step>[] {
    const { slices } = this.#choice;
    // Two outputs for as many threads as share them.
    const outputs = (2 * THREADS) / slices;
    return matrix.parts.map((part) =>
      this.step({
        name: "multiply-row",
        constants: constantsOfOne(matrix.bits, slices),
        grid: () => [Math.ceil(part.outputs / outputs), 1],
        work: () => row.columns * (outputs * OPERATIONS_OF_ONE + OPERATIONS_OF_VALUE),
        bindings: {
          ...row.buffers,
          0: rowShape(row, matrix, false),
          ...matrixBindings(matrix, part, target),
        },
      }),
    );
  }

  async step({ name, constants = {}, grid, work, bindings }: StepOptions): Promise<Step> {
    const resources = Object.entries(bindings).map(([binding, bound]) => ({
      binding: Number(binding),
      resource: bound instanceof GPUBuffer ? { buffer: bound } : this.maker.uniform(bound),
    }));
    const { pipeline, layout } = await this.#kernels.kernel(name, constants);
    return { pipeline, bindings: this.#device.createBindGroup({ layout, entries: resources }), grid, work };
  }
}

/** Overrides of a kernel for several rows. */
function constantsOfRows(bits: 4 | 8): Constants {
  return { WEIGHT_BITS: bits };
}

/** Overrides of the kernel for one row. */
function constantsOfOne(bits: 4 | 8, slices: number): Constants {
  return { WEIGHT_BITS: bits, SLICES: slices };
}

/** The kernels that a device is opened with, so that they are compiled side by side. */
export function compileFirst(kernels: KernelCache, choices: readonly Choice[]): Promise<unknown> {
  const first = ["layer-row", "embed", "heads", "attend", "sweep"] as const;
  return Promise.all([
    ...choices.flatMap(({ rows, slices }) => [
      kernels.kernel("multiply-row", constantsOfOne(8, slices)),
      kernels.kernel(rows, constantsOfRows(8)),
    ]),
    ...first.map((name) => kernels.kernel(name, {})),
  ]);
}

/** Words of a group of a quantised row: whole values, or two planes of bytes. */
const ROW_WORDS: Readonly<Record<RowsKernel, 16 | 32>> = { multiply: 32, "multiply-tile": 16 };

/** Outputs and rows of a workgroup. */
const TILES: Readonly<Record<RowsKernel, readonly [outputs: number, rows: number]>> = {
  multiply: [256, 4],
  "multiply-tile": [32, 32],
};

/** The kernel that quantises a row, and its number in layer-row.wgsl. */
const SOURCES: Readonly<Record<RowSource, { readonly kernel: RowKernel; readonly number: number }>> = {
  plain: { kernel: "layer-row", number: 0 },
  norm: { kernel: "layer-row", number: 1 },
  gate: { kernel: "layer-row", number: 2 },
  "layer-norm": { kernel: "layer-norm", number: 0 },
  mean: { kernel: "mean", number: 0 },
};

/** The uniform `RowShape` of quantise.wgsl. */
function rowShape(
  { source, columns, fraction, positive = false, epsilon = 0, rootWidth = 0 }: Row,
  { groups, bits }: MatrixBuffers,
  whole: boolean,
): readonly number[] {
  const { number } = SOURCES[source];
  return [columns, groups, bits, fraction, Number(positive), epsilon, rootWidth, number, Number(whole)];
}

/** The matrix as weights.wgsl declares it. */
function matrixBindings(matrix: MatrixBuffers, part: MatrixPart, target: Target): Bindings {
  const { results, fraction, adds = false } = target;
  const { outputs, groups, biased } = matrix;
  return {
    1: [part.outputs, groups, part.first, outputs, fraction, Number(adds), Number(biased), 0],
    6: part.weights,
    7: part.multipliers,
    8: part.scales,
    9: results,
  };
}

/** One workgroup per row. */
function perRow(rows: number): readonly [number, number] {
  return [rows, 1];
}
