import type { LlamaLayer, LlamaModel } from "../model/llama-model.ts";
import type { FactorVector } from "../model/matrix.ts";
import { ACTIVATION_FRACTION, RESIDUAL_FRACTION } from "../numerics/tables.ts";
import { embeddingSteps } from "./embedding.ts";
import { MOST_LOGIT_BYTES } from "./limits.ts";
import type { FusedSource, Planner, Row, Step, Target } from "./plan.ts";
import { attendStep, headsStep, type HeadBuffers, headBuffers, historyBuffers } from "./plan-attention.ts";
import { type MatrixBuffers, uploadMatrix } from "./upload-matrix.ts";

export interface LlamaPlan {
  /** Tokens to the last layer's residual stream. */
  readonly forward: readonly Step[];
  /** The same for a batch of one row, in fewer steps. */
  readonly forwardOne: readonly Step[];
  /** Residual stream to logits. */
  readonly logits: readonly Step[];
  readonly logitsOne: readonly Step[];
  /** Rows of logits that have room. */
  readonly logitRows: number;
  readonly tokens: GPUBuffer;
  readonly residual: GPUBuffer;
  readonly scores: GPUBuffer;
}

/** The longest row that a model quantises. */
export function longestRow({ width, inner, heads, headSize }: LlamaModel["shape"]): number {
  return Math.max(width, inner, heads * headSize);
}

/** Brings a model into the device's memory and plans its steps. @param rows of the largest batch */
export async function planLlama(planner: Planner, model: LlamaModel, rows: number): Promise<LlamaPlan> {
  const { maker } = planner;
  const { width, vocabulary } = model.shape;
  const tokens = maker.words(rows);
  const residual = maker.words(rows * width);
  const logitRows = Math.max(1, Math.min(rows, Math.floor(MOST_LOGIT_BYTES / 4 / vocabulary)));
  const scores = maker.words(logitRows * vocabulary);
  const layers = new LayerPlanner(planner, model, residual, rows);
  const embed = embeddingSteps(planner, model.embeddings, tokens, residual);
  const batched = [...embed];
  const single = [...embed];
  for (const layer of model.layers) layers.add(layer, batched, single);
  const normed = layers.normed(model.finalNorm);
  const head = uploadMatrix(maker, [model.head]);
  const target = { results: scores, fraction: ACTIVATION_FRACTION };
  // All are waited for at once: a kernel that is not compiled fails steps of several lists.
  const [forward, forwardOne, logits, logitsOne] = await Promise.all([
    Promise.all(batched),
    Promise.all(single),
    Promise.all(planner.products(normed, head, target)),
    Promise.all(planner.productsOfOne(normed, head, target)),
  ]);
  return {
    forward,
    forwardOne,
    logits,
    logitsOne,
    logitRows,
    tokens,
    residual,
    scores,
  };
}

/** Plans layers, which share all buffers but weights and history. */
class LayerPlanner {
  readonly #planner: Planner;
  readonly #model: LlamaModel;
  readonly #residual: GPUBuffer;
  readonly #projected: GPUBuffer;
  readonly #widened: GPUBuffer;
  readonly #heads: HeadBuffers;
  readonly #rotation: GPUBuffer;
  readonly #sigmoidTable: GPUBuffer;

  constructor(planner: Planner, model: LlamaModel, residual: GPUBuffer, rows: number) {
    const { maker } = planner;
    const { inner, heads, keyHeads, headSize, context } = model.shape;
    this.#planner = planner;
    this.#model = model;
    this.#residual = residual;
    this.#projected = maker.words(rows * (heads + 2 * keyHeads) * headSize);
    this.#widened = maker.words(rows * 2 * inner);
    this.#heads = headBuffers(maker, { heads, headSize }, rows, context, model.exp2Table);
    this.#rotation = maker.filled(rotationOf(model));
    this.#sigmoidTable = maker.filled(model.sigmoidTable);
  }

  add(layer: LlamaLayer, batched: Promise<Step>[], single: Promise<Step>[]): void {
    const planner = this.#planner;
    const { maker } = planner;
    const { heads, keyHeads, headSize, inner, rotation, context } = this.#model.shape;
    const { queryBias, keyBias, valueBias } = layer;
    const biases =
      queryBias === undefined || keyBias === undefined || valueBias === undefined
        ? undefined
        : [queryBias, keyBias, valueBias];
    const multiply = (row: Row<FusedSource>, matrix: MatrixBuffers, target: Target): void => {
      batched.push(...planner.products(row, matrix, target));
      single.push(...planner.productsOfOne(row, matrix, target));
    };
    const sum = { results: this.#residual, fraction: RESIDUAL_FRACTION, adds: true };
    const shape = { heads, keyHeads, headSize };
    const projections = uploadMatrix(maker, [layer.query, layer.key, layer.value], biases);
    multiply(this.normed(layer.attentionNorm), projections, {
      results: this.#projected,
      fraction: ACTIVATION_FRACTION,
    });
    const history = historyBuffers(maker, shape, context);
    const attention = [
      headsStep(planner, shape, this.#projected, this.#heads, history, {
        turning: rotation,
        table: this.#rotation,
      }),
      attendStep(planner, shape, this.#heads, history, {
        causal: true,
        scoreScale: this.#model.scoreScale,
      }),
    ];
    batched.push(...attention);
    single.push(...attention);
    multiply(
      {
        source: "plain",
        columns: heads * headSize,
        fraction: ACTIVATION_FRACTION,
        buffers: { 2: this.#heads.mixed, 3: this.#sigmoidTable },
      },
      uploadMatrix(maker, [layer.output]),
      sum,
    );
    multiply(this.normed(layer.feedNorm), uploadMatrix(maker, [layer.gate, layer.up]), {
      results: this.#widened,
      fraction: ACTIVATION_FRACTION,
    });
    multiply(
      {
        source: "gate",
        columns: inner,
        fraction: ACTIVATION_FRACTION,
        buffers: { 2: this.#widened, 3: this.#sigmoidTable },
      },
      uploadMatrix(maker, [layer.down]),
      sum,
    );
  }

  normed({ values, fraction }: FactorVector): Row<"norm"> {
    const { shape, normEpsilon, rootWidth } = this.#model;
    return {
      source: "norm",
      columns: shape.width,
      fraction,
      epsilon: normEpsilon,
      rootWidth,
      buffers: { 2: this.#residual, 3: this.#planner.maker.filled(values) },
    };
  }
}

/** Cosine in the low, sine in the high 16 bits. */
function rotationOf({ cosines, sines }: LlamaModel): Uint32Array {
  return Uint32Array.from(cosines, (cosine, i) => ((cosine & 0xffff) | ((sines[i] ?? 0) << 16)) >>> 0);
}
