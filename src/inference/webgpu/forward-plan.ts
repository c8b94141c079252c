import type { LlamaModel } from "../model/llama-model.ts";
import { RESIDUAL_FRACTION, ACTIVATION_FRACTION } from "../numerics/tables.ts";
import { type Constants, type KernelCache, type KernelName, ROWS_PER_THREAD } from "./kernels.ts";
import type { BufferMaker, FactorBuffer, MatrixBuffers, ModelBuffers } from "./model-buffers.ts";

/** One dispatch: workgroups along x, and along y as a function of the rows of a batch. */
export interface Step {
  readonly pipeline: GPUComputePipeline;
  readonly bindings: GPUBindGroup;
  readonly groups: number;
  readonly groupsOfRows: (rows: number) => number;
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
  const forward = await Promise.all(planner.forward());
  const logits = await Promise.all(planner.logits());
  return { forward, logits, buffers: planner.buffers };
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
    this.#queries = words(rows * heads * strideOfHead(headSize));
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

  forward(): readonly Promise<Step>[] {
    const { shape, scoreScale } = this.#model;
    const { width, inner, heads, keyHeads, headSize, context } = shape;
    const { tokens, residual, batch } = this.buffers;
    const head = {
      HEADS: heads,
      KEY_HEADS: keyHeads,
      HEAD_SIZE: headSize,
      HEAD_STRIDE: strideOfHead(headSize),
    };
    const stored = this.#stored;
    const steps = [
      this.#step("embed", { COLUMNS: width }, Math.ceil(width / THREADS), each, [
        tokens,
        stored.embeddings,
        stored.embeddingScales,
        residual,
      ]),
    ];
    for (const layer of stored.layers) {
      const history = this.#maker.empty(4 * 2 * keyHeads * context * strideOfHead(headSize));
      const historyScales = this.#maker.empty(4 * 2 * keyHeads * context);
      steps.push(
        this.#norm(layer.attentionNorm, layer.project.bits),
        this.#multiply(layer.project, this.#projected, ACTIVATION_FRACTION, false),
        this.#step(
          "heads",
          { ...head, CONTEXT: context, HALVES: Number(shape.rotation === "halves") },
          heads + 2 * keyHeads,
          each,
          [batch, this.#projected, stored.rotation, this.#queries, this.#queryScales, history, historyScales],
        ),
        this.#step("attend", { ...head, CONTEXT: context, SCORE_SCALE: scoreScale }, heads, each, [
          batch,
          this.#queries,
          this.#queryScales,
          history,
          historyScales,
          stored.exp2Table,
          this.#weights,
          this.#mixed,
        ]),
        this.#quantise("plain", heads * headSize, layer.output.bits, [this.#mixed]),
        this.#multiply(layer.output, residual, RESIDUAL_FRACTION, true),
        this.#norm(layer.feedNorm, layer.widen.bits),
        this.#multiply(layer.widen, this.#widened, ACTIVATION_FRACTION, false),
        this.#quantise("gate", inner, layer.down.bits, [this.#widened, stored.sigmoidTable]),
        this.#multiply(layer.down, residual, RESIDUAL_FRACTION, true),
      );
    }
    return steps;
  }

  logits(): readonly Promise<Step>[] {
    const { finalNorm, head } = this.#stored;
    return [
      this.#norm(finalNorm, head.bits),
      this.#multiply(head, this.buffers.logits, ACTIVATION_FRACTION, false),
    ];
  }

  #norm({ factors, fraction }: FactorBuffer, bits: number): Promise<Step> {
    const { shape, normEpsilon, rootWidth } = this.#model;
    const constants = { FRACTION: fraction, EPSILON: normEpsilon, ROOT_WIDTH: rootWidth };
    return this.#quantise("norm", shape.width, bits, [this.buffers.residual, factors], constants);
  }

  #quantise(
    name: "norm" | "plain" | "gate",
    columns: number,
    bits: number,
    buffers: readonly GPUBuffer[],
    more: Constants = {},
  ): Promise<Step> {
    const constants = { COLUMNS: columns, GROUPS: Math.ceil(columns / 32), WEIGHT_BITS: bits, ...more };
    return this.#step(name, constants, "rows", () => 1, [this.#planes, this.#rowScales, ...buffers]);
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
    return this.#step("multiply", constants, groups, (rows) => Math.ceil(rows / ROWS_PER_THREAD), [
      this.buffers.batch,
      this.#planes,
      this.#rowScales,
      matrix.weights,
      matrix.multipliers,
      matrix.scales,
      matrix.biases ?? this.#noBiases,
      results,
    ]);
  }

  /** @param groups workgroups along x; "rows" for one per row */
  async #step(
    name: KernelName,
    constants: Constants,
    groups: number | "rows",
    groupsOfRows: (rows: number) => number,
    buffers: readonly GPUBuffer[],
  ): Promise<Step> {
    const pipeline = await this.#kernels.pipeline(name, constants);
    const bindings = this.#device.createBindGroup({
      layout: pipeline.getBindGroupLayout(0),
      entries: buffers.map((buffer, binding) => ({ binding, resource: { buffer } })),
    });
    return groups === "rows"
      ? { pipeline, bindings, groups: 0, groupsOfRows: each }
      : { pipeline, bindings, groups, groupsOfRows };
  }
}

/** One workgroup per row. */
function each(rows: number): number {
  return rows;
}

/** Values of a head in the history: whole words of four. */
function strideOfHead(headSize: number): number {
  return Math.ceil(headSize / 4) * 4;
}
