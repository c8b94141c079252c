import type {
  Affine,
  EncoderLayer,
  EncoderLayerShape,
  EncoderModel,
  LayerNorm,
} from "../model/encoder-model.ts";
import { ACTIVATION_FRACTION, RESIDUAL_FRACTION } from "../numerics/tables.ts";
import { embeddingSteps } from "./embedding.ts";
import type { Planner, Row, Step, Target } from "./plan.ts";
import {
  attendStep,
  type HeadBuffers,
  headBuffers,
  headsStep,
  type History,
  historyBuffers,
} from "./plan-attention.ts";
import { uploadMatrix } from "./upload-matrix.ts";

export interface EncoderPlan {
  /** Tokens to the mean of their positions. */
  readonly rows: readonly Step[];
  /** The mean to what comes out: steps of one row. */
  readonly pool: readonly Step[];
  readonly tokens: GPUBuffer;
  readonly output: GPUBuffer;
}

/** Widths of the residual stream, from the embedding to the last layer. */
function widthsOf({ width, layers }: EncoderModel["shape"]): readonly number[] {
  return [width, ...layers.flatMap((layer) => [layer.input, layer.width])];
}

function largest(values: readonly number[]): number {
  return values.reduce((most, value) => Math.max(most, value), 0);
}

/** Brings an encoder into the device's memory and plans its steps. @param plannerFor rows, and the longest row in columns */
export async function planEncoder(
  plannerFor: (rows: number, longest: number) => Planner,
  model: EncoderModel,
): Promise<EncoderPlan> {
  const { shape } = model;
  const widths = widthsOf(shape);
  const longest = largest([
    ...widths,
    ...shape.layers.flatMap(({ inner, heads, headSize }) => [inner, heads * headSize]),
  ]);
  const planner = plannerFor(shape.context, longest);
  const { maker } = planner;
  const tokens = maker.words(shape.context);
  const output = maker.words(shape.output);
  const pooled = maker.words(shape.output);
  const layers = new EncoderLayers(planner, model, largest(widths));
  const steps = embeddingSteps(planner, model.embeddings, tokens, layers.residual, model.positions);
  for (const [i, layer] of model.layers.entries()) {
    const sizes = shape.layers[i];
    if (sizes === undefined) throw new RangeError(`layer ${i} has no sizes`);
    steps.push(...layers.add(layer, sizes));
  }
  const { matrix, bias } = model.pool;
  const [mean, ...pool] = planner.products(
    {
      source: "mean",
      columns: matrix.columns,
      fraction: RESIDUAL_FRACTION,
      buffers: { 2: layers.residual },
    },
    uploadMatrix(maker, [matrix], [bias]),
    { results: pooled, fraction: ACTIVATION_FRACTION },
  );
  if (mean === undefined) throw new TypeError("products begin with their rows");
  const unit = planner.step({
    name: "unit",
    grid: () => [1, 1],
    work: () => shape.output * 64,
    bindings: { 0: [shape.output], 2: pooled, 3: layers.sigmoidTable, 9: output },
  });
  // All are waited for at once: a kernel that is not compiled fails steps of both lists.
  const [rows, last, pooling] = await Promise.all([Promise.all(steps), mean, Promise.all([...pool, unit])]);
  return { rows: [...rows, onOneWorkgroup(last)], pool: pooling, tokens, output };
}

/** The mean takes in all rows at once. */
function onOneWorkgroup(step: Step): Step {
  return { ...step, grid: () => [1, 1], work: (batch) => step.work(batch) * batch.rows };
}

class EncoderLayers {
  residual: GPUBuffer;
  readonly sigmoidTable: GPUBuffer;
  #other: GPUBuffer;
  readonly #planner: Planner;
  readonly #projected: GPUBuffer;
  readonly #widened: GPUBuffer;
  readonly #heads: HeadBuffers;
  readonly #history: History;

  constructor(planner: Planner, model: EncoderModel, width: number) {
    const { maker } = planner;
    const { context, layers } = model.shape;
    const most = (size: (layer: EncoderLayerShape) => number): number => largest(layers.map(size));
    this.#planner = planner;
    this.residual = maker.words(context * width);
    this.#other = maker.words(context * width);
    this.sigmoidTable = maker.filled(model.sigmoidTable);
    this.#projected = maker.words(context * most(({ heads, headSize }) => 3 * heads * headSize));
    this.#widened = maker.words(context * most(({ inner }) => inner));
    const shape = { heads: most(({ heads }) => heads), headSize: most(({ headSize }) => headSize) };
    this.#heads = headBuffers(maker, shape, context, context, model.exp2Table);
    this.#history = historyBuffers(maker, { keyHeads: shape.heads, headSize: shape.headSize }, context);
  }

  add(layer: EncoderLayer, { input, heads, headSize, inner }: EncoderLayerShape): Promise<Step>[] {
    const planner = this.#planner;
    const steps: Promise<Step>[] = [];
    const multiply = (row: Row, affines: readonly Affine[], target: Target): void => {
      const matrix = uploadMatrix(
        planner.maker,
        affines.map((affine) => affine.matrix),
        affines.map((affine) => affine.bias),
      );
      steps.push(...planner.products(row, matrix, target));
    };
    const head = { heads, keyHeads: heads, headSize };
    multiply(this.#normed(layer.attentionNorm, input), [layer.query, layer.key, layer.value], {
      results: this.#projected,
      fraction: ACTIVATION_FRACTION,
    });
    steps.push(
      headsStep(planner, head, this.#projected, this.#heads, this.#history, {
        turning: "none",
        // Nothing is read of it.
        table: this.sigmoidTable,
      }),
      attendStep(planner, head, this.#heads, this.#history, {
        causal: false,
        scoreScale: layer.scoreScale,
      }),
    );
    if (layer.bridge !== undefined) {
      multiply(
        {
          source: "plain",
          columns: input,
          fraction: RESIDUAL_FRACTION,
          buffers: { 2: this.residual, 3: this.sigmoidTable },
        },
        [layer.bridge],
        { results: this.#other, fraction: RESIDUAL_FRACTION },
      );
      [this.residual, this.#other] = [this.#other, this.residual];
    }
    const sum = { results: this.residual, fraction: RESIDUAL_FRACTION, adds: true };
    multiply(
      {
        source: "plain",
        columns: heads * headSize,
        fraction: ACTIVATION_FRACTION,
        buffers: { 2: this.#heads.mixed, 3: this.sigmoidTable },
      },
      [layer.output],
      sum,
    );
    multiply(this.#normed(layer.feedNorm, layer.up.matrix.columns), [layer.up], {
      results: this.#widened,
      fraction: ACTIVATION_FRACTION,
    });
    multiply(
      {
        source: "plain",
        columns: inner,
        fraction: ACTIVATION_FRACTION,
        positive: true,
        buffers: { 2: this.#widened, 3: this.sigmoidTable },
      },
      [layer.down],
      sum,
    );
    return steps;
  }

  #normed({ factors, offsets, epsilon, rootWidth }: LayerNorm, columns: number): Row {
    const { maker } = this.#planner;
    return {
      source: "layer-norm",
      columns,
      fraction: factors.fraction,
      epsilon,
      rootWidth,
      buffers: { 2: this.residual, 3: maker.filled(factors.values), 10: maker.filled(offsets) },
    };
  }
}
