import type { LlamaModel } from "../model/llama-model.ts";
import { RESIDUAL_FRACTION, ACTIVATION_FRACTION } from "../numerics/tables.ts";
import {
  type Constants,
  type KernelCache,
  type KernelName,
  ROWS_PER_THREAD,
  type RowSource,
} from "./kernels.ts";
import type { BufferMaker, FactorBuffer, MatrixBuffers, ModelBuffers } from "./model-buffers.ts";

/** Workgroups along x and y for a batch of so many rows. */
type Grid = (rows: number) => readonly [x: number, y: number];

/** One dispatch. */
export interface Step {
  readonly pipeline: GPUComputePipeline;
  readonly bindings: GPUBindGroup;
  readonly grid: Grid;
}

/** Buffers that a sequence writes to. */
export interface SequenceBuffers {
  readonly batch: GPUBuffer;
  readonly tokens: GPUBuffer;
  readonly residual: GPUBuffer;
  readonly logits: GPUBuffer;
}

export interface ForwardPlan {
  /** Tokens to the last layer's residual stream. */
  readonly forward: readonly Step[];
  /** The same for a batch of one row, in fewer steps. */
  readonly forwardOne: readonly Step[];
  /** Residual stream to logits. */
  readonly logits: readonly Step[];
  readonly buffers: SequenceBuffers;
}

const THREADS = 64;

/** Compiles the kernels of a model and binds them to its buffers. @param rows of the largest batch */
export async function planForward(
  device: GPUDevice,
  kernels: KernelCache,
  model: LlamaModel,
  stored: ModelBuffers,
  maker: BufferMaker,
  rows: number,
): Promise<ForwardPlan> {
  const planner = new Planner(device, kernels, model, stored, maker, rows);
  const { batched, single } = planner.forward();
  return {
    forward: await Promise.all(batched),
    forwardOne: await Promise.all(single),
    logits: await Promise.all(planner.logits()),
    buffers: planner.buffers,
  };
}

/** A row of integers to be quantised. */
interface Row {
  readonly source: RowSource;
  readonly columns: number;
  readonly constants: Constants;
  readonly buffers: readonly GPUBuffer[];
}

class Planner {
  readonly buffers: SequenceBuffers;
  readonly #device: GPUDevice;
  readonly #kernels: KernelCache;
  readonly #model: LlamaModel;
  readonly #stored: ModelBuffers;
  readonly #maker: BufferMaker;
  readonly #planes: GPUBuffer;
  readonly #rowScales: GPUBuffer;
  readonly #projected: GPUBuffer;
  readonly #queries: GPUBuffer;
  readonly #queryScales: GPUBuffer;
  readonly #weights: GPUBuffer;
  readonly #mixed: GPUBuffer;
  readonly #widened: GPUBuffer;
  readonly #noBiases: GPUBuffer;

  constructor(
    device: GPUDevice,
    kernels: KernelCache,
    model: LlamaModel,
    stored: ModelBuffers,
    maker: BufferMaker,
    rows: number,
  ) {
    const { width, inner, heads, keyHeads, headSize, vocabulary, context } = model.shape;
    const words = (count: number): GPUBuffer => maker.empty(4 * count);
    this.#device = device;
    this.#kernels = kernels;
    this.#model = model;
    this.#stored = stored;
    this.#maker = maker;
    const longest = Math.max(width, inner, heads * headSize);
    this.#planes = words(rows * Math.ceil(longest / 32) * 16);
    this.#rowScales = words(rows);
    this.#projected = words(rows * (heads + 2 * keyHeads) * headSize);
    this.#queries = words(rows * heads * 2 * wordsOfHead(headSize));
    this.#queryScales = words(rows * heads);
    this.#weights = words(rows * heads * context);
    this.#mixed = words(rows * heads * headSize);
    this.#widened = words(rows * 2 * inner);
    this.#noBiases = words(4);
    this.buffers = {
      batch: maker.empty(8, GPUBufferUsage.UNIFORM),
      tokens: words(rows),
      residual: words(rows * width),
      logits: words(rows * vocabulary),
    };
  }

  forward(): { readonly batched: readonly Promise<Step>[]; readonly single: readonly Promise<Step>[] } {
    const { shape, scoreScale } = this.#model;
    const { width, inner, heads, keyHeads, headSize, context } = shape;
    const { tokens, residual, batch } = this.buffers;
    const stored = this.#stored;
    const head = {
      HEADS: heads,
      KEY_HEADS: keyHeads,
      HEAD_SIZE: headSize,
      HEAD_WORDS: wordsOfHead(headSize),
      CONTEXT: context,
    };
    const embed = this.#step("embed", { COLUMNS: width }, eachRow(Math.ceil(width / THREADS)), [
      tokens,
      stored.embeddings,
      stored.embeddingScales,
      residual,
    ]);
    const batched = [embed];
    const single = [embed];
    const multiply = (row: Row, matrix: MatrixBuffers, results: GPUBuffer, fraction: number): void => {
      const adds = results === residual;
      const two = [this.#quantise(row, matrix.bits), this.#multiply(matrix, results, fraction, adds)];
      batched.push(...two);
      single.push(...(fitsShared(matrix) ? [this.#multiplyRow(row, matrix, results, fraction, adds)] : two));
    };
    for (const layer of stored.layers) {
      const history = this.#maker.empty(4 * 2 * keyHeads * context * 2 * wordsOfHead(headSize));
      const historyScales = this.#maker.empty(4 * 2 * keyHeads * context);
      const turned = [this.#queries, this.#queryScales, history, historyScales];
      const turn = { ...head, HALVES: Number(shape.rotation === "halves") };
      multiply(this.#normed(layer.attentionNorm), layer.project, this.#projected, ACTIVATION_FRACTION);
      const attention = [
        this.#step("heads", turn, eachRow(heads + 2 * keyHeads), [
          batch,
          this.#projected,
          stored.rotation,
          ...turned,
        ]),
        this.#step("attend", { ...head, SCORE_SCALE: scoreScale }, eachRow(heads), [
          batch,
          ...turned,
          stored.exp2Table,
          this.#weights,
          this.#mixed,
        ]),
      ];
      batched.push(...attention);
      single.push(...attention);
      multiply(
        { source: "plain", columns: heads * headSize, constants: {}, buffers: [this.#mixed] },
        layer.output,
        residual,
        RESIDUAL_FRACTION,
      );
      multiply(this.#normed(layer.feedNorm), layer.widen, this.#widened, ACTIVATION_FRACTION);
      multiply(
        { source: "gate", columns: inner, constants: {}, buffers: [this.#widened, stored.sigmoidTable] },
        layer.down,
        residual,
        RESIDUAL_FRACTION,
      );
    }
    return { batched, single };
  }

  logits(): readonly Promise<Step>[] {
    const { finalNorm, head } = this.#stored;
    return [
      this.#quantise(this.#normed(finalNorm), head.bits),
      this.#multiply(head, this.buffers.logits, ACTIVATION_FRACTION, false),
    ];
  }

  #normed({ factors, fraction }: FactorBuffer): Row {
    const { shape, normEpsilon, rootWidth } = this.#model;
    return {
      source: "norm",
      columns: shape.width,
      constants: { FRACTION: fraction, EPSILON: normEpsilon, ROOT_WIDTH: rootWidth },
      buffers: [this.buffers.residual, factors],
    };
  }

  #quantise({ source, columns, constants, buffers }: Row, bits: number): Promise<Step> {
    const all = { COLUMNS: columns, GROUPS: Math.ceil(columns / 32), WEIGHT_BITS: bits, ...constants };
    const bound = new Map([...buffers.entries(), [2, this.#planes], [3, this.#rowScales]]);
    return this.#step(source, all, perRow, bound);
  }

  #multiply(matrix: MatrixBuffers, results: GPUBuffer, fraction: number, adds: boolean): Promise<Step> {
    const constants = {
      OUTPUTS: matrix.outputs,
      GROUPS: matrix.groups,
      WEIGHT_BITS: matrix.bits,
      FRACTION: fraction,
      ADDS: Number(adds),
      BIASED: Number(matrix.biases !== undefined),
    };
    const groups = Math.ceil(matrix.outputs / THREADS);
    const grid: Grid = (rows) => [groups, Math.ceil(rows / ROWS_PER_THREAD)];
    return this.#step("multiply", constants, grid, [
      this.buffers.batch,
      this.#planes,
      this.#rowScales,
      ...this.#matrix(matrix),
      results,
    ]);
  }

  #multiplyRow(
    { source, columns, constants, buffers }: Row,
    matrix: MatrixBuffers,
    results: GPUBuffer,
    fraction: number,
    adds: boolean,
  ): Promise<Step> {
    const all = {
      COLUMNS: columns,
      GROUPS: matrix.groups,
      WEIGHT_BITS: matrix.bits,
      ...constants,
      OUTPUTS: matrix.outputs,
      FRACTION_OUT: fraction,
      ADDS: Number(adds),
      BIASED: Number(matrix.biases !== undefined),
    };
    const last = [...this.#matrix(matrix), results].map((buffer, i) => [2 + i, buffer] as const);
    const bound = new Map([...buffers.entries(), ...last]);
    return this.#step(`${source}-multiply`, all, eachRow(Math.ceil(matrix.outputs / THREADS)), bound);
  }

  #matrix({ weights, multipliers, scales, biases }: MatrixBuffers): readonly GPUBuffer[] {
    return [weights, multipliers, scales, biases ?? this.#noBiases];
  }

  async #step(
    name: KernelName,
    constants: Constants,
    grid: Grid,
    buffers: readonly GPUBuffer[] | ReadonlyMap<number, GPUBuffer>,
  ): Promise<Step> {
    const pipeline = await this.#kernels.pipeline(name, constants);
    const bindings = this.#device.createBindGroup({
      layout: pipeline.getBindGroupLayout(0),
      entries: Array.from(buffers.entries(), ([binding, buffer]) => ({ binding, resource: { buffer } })),
    });
    return { pipeline, bindings, grid };
  }
}

/** Whether a quantised row leaves room in the 16 KiB that a workgroup has. */
function fitsShared({ groups }: MatrixBuffers): boolean {
  return groups * 64 <= 15 * 1024;
}

/** One workgroup per row. */
function perRow(rows: number): readonly [number, number] {
  return [rows, 1];
}

/** So many workgroups for each row. */
function eachRow(groups: number): Grid {
  return (rows) => [groups, rows];
}

/** Words of one plane of a head, four values in each. */
function wordsOfHead(headSize: number): number {
  return Math.ceil(headSize / 4);
}
