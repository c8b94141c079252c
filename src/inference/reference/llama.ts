import type { LlamaLayer, LlamaModel } from "../model/llama-model.ts";
import type { Matrix } from "../model/matrix.ts";
import { multiplyShift } from "../numerics/fixed-point.ts";
import { quantiseRow } from "../numerics/quantise.ts";
import { applyScale, multiplyScales, type Scale, timesPowerOfTwo } from "../numerics/scale.ts";
import { ACTIVATION_FRACTION, RESIDUAL_FRACTION, sigmoid, UNIT_FRACTION } from "../numerics/tables.ts";
import { attend, type HeadHistory } from "./attend.ts";
import { keepHead, turnHead } from "./heads.ts";
import { multiplyRow } from "./multiply.ts";
import { normRow } from "./norm.ts";

/** Keys and values of one layer, per head, for all positions of the context. */
interface LayerHistory {
  readonly keys: readonly HeadHistory[];
  readonly values: readonly HeadHistory[];
}

/** A quantised row with its scale. */
interface Quantised {
  readonly row: Int16Array;
  readonly scale: Scale;
}

/**
 * The forward pass of a Llama model, one position after another, as docs/numerics.md specifies it. Slow and plain: faster
 * backends are held to its bits.
 */
export class ReferenceLlama {
  readonly model: LlamaModel;
  readonly #history: readonly LayerHistory[];
  #positions = 0;

  constructor(model: LlamaModel) {
    const { layers, keyHeads, headSize, context } = model.shape;
    const heads = (): HeadHistory[] =>
      Array.from({ length: keyHeads }, () => ({
        values: new Int16Array(context * headSize),
        scales: new Uint32Array(context),
      }));
    this.model = model;
    this.#history = Array.from({ length: layers }, () => ({ keys: heads(), values: heads() }));
  }

  /** Positions taken in so far. */
  get positions(): number {
    return this.#positions;
  }

  /** Forgets the positions from `count` on. */
  rewind(count: number): void {
    this.#positions = Math.min(count, this.#positions);
  }

  /**
   * Takes in one token at the next position.
   * @returns the residual stream after the last layer, i32[width] in Q16
   * @throws RangeError for a token beyond the vocabulary, or a position beyond the context
   */
  step(token: number): Int32Array {
    const { embeddings, shape, layers } = this.model;
    const position = this.#positions;
    if (!(token >= 0 && token < shape.vocabulary)) throw new RangeError(`no token ${token}`);
    if (position >= shape.context) throw new RangeError(`the context has ${shape.context} positions`);
    const x = new Int32Array(shape.width);
    const scale = embeddings.scales[token] ?? 0;
    for (let i = 0; i < shape.width; i += 1)
      x[i] = applyScale(embeddings.values[token * shape.width + i] ?? 0, scale, RESIDUAL_FRACTION);
    for (const [index, layer] of layers.entries()) {
      this.#attention(layer, this.#history[index], x, position);
      this.#feedForward(layer, x);
    }
    this.#positions += 1;
    return x;
  }

  /** Scores of all tokens after a position, i32[vocabulary] in Q14. @param x what `step` returned there */
  logits(x: Int32Array): Int32Array {
    const { model } = this;
    const normed = this.#norm(x, model.finalNorm);
    return multiplyRow(model.head, normed.row, normed.scale, ACTIVATION_FRACTION);
  }

  #norm(x: Int32Array, factors: LlamaLayer["attentionNorm"]): Quantised {
    const row = new Int16Array(x.length);
    return { row, scale: normRow(x, factors, this.model.normEpsilon, this.model.rootWidth, row) };
  }

  #attention(layer: LlamaLayer, history: LayerHistory | undefined, x: Int32Array, position: number): void {
    const { shape, scoreScale, exp2Table } = this.model;
    const { heads, keyHeads, headSize } = shape;
    if (history === undefined) throw new RangeError("a layer without a history");
    const normed = this.#norm(x, layer.attentionNorm);
    const query = biased(layer.query, normed, layer.queryBias);
    const key = biased(layer.key, normed, layer.keyBias);
    const value = biased(layer.value, normed, layer.valueBias);
    const turned = new Int16Array(headSize);
    for (let head = 0; head < keyHeads; head += 1) {
      const part = (row: Int32Array): Int32Array => row.subarray(head * headSize, (head + 1) * headSize);
      remember(history.keys[head], position, turned, turnHead(this.model, part(key), position, turned));
      remember(history.values[head], position, turned, keepHead(part(value), turned));
    }
    const mixed = new Int32Array(heads * headSize);
    for (let head = 0; head < heads; head += 1) {
      const part = query.subarray(head * headSize, (head + 1) * headSize);
      const scale = multiplyScales(turnHead(this.model, part, position, turned), scoreScale);
      const shared = Math.floor((head * keyHeads) / heads);
      const keys = history.keys[shared];
      const values = history.values[shared];
      if (keys === undefined || values === undefined) throw new RangeError("a head without a history");
      const out = mixed.subarray(head * headSize, (head + 1) * headSize);
      attend(turned, scale, keys, values, position + 1, exp2Table, out);
    }
    addRow(x, layer.output, mixed);
  }

  #feedForward(layer: LlamaLayer, x: Int32Array): void {
    const normed = this.#norm(x, layer.feedNorm);
    const gate = biased(layer.gate, normed);
    const up = biased(layer.up, normed);
    for (let i = 0; i < gate.length; i += 1) {
      const value = gate[i] ?? 0;
      const gated = multiplyShift(value, sigmoid(value, this.model.sigmoidTable), UNIT_FRACTION);
      gate[i] = multiplyShift(gated, up[i] ?? 0, ACTIVATION_FRACTION);
    }
    addRow(x, layer.down, gate);
  }
}

/** A matrix times a row, plus a bias, in Q14. */
function biased(matrix: Matrix, { row, scale }: Quantised, bias?: Int32Array): Int32Array {
  const out = multiplyRow(matrix, row, scale, ACTIVATION_FRACTION);
  if (bias !== undefined)
    for (let n = 0; n < out.length; n += 1) out[n] = ((out[n] ?? 0) + (bias[n] ?? 0)) | 0;
  return out;
}

/** Adds a matrix times a row in Q14 to the residual stream. */
function addRow(x: Int32Array, matrix: Matrix, values: Int32Array): void {
  const row = new Int16Array(values.length);
  const scale = timesPowerOfTwo(quantiseRow(values, row), -ACTIVATION_FRACTION);
  const sum = multiplyRow(matrix, row, scale, RESIDUAL_FRACTION);
  for (let i = 0; i < x.length; i += 1) x[i] = ((x[i] ?? 0) + (sum[i] ?? 0)) | 0;
}

function remember(history: HeadHistory | undefined, position: number, row: Int16Array, scale: Scale): void {
  history?.values.set(row, position * row.length);
  if (history !== undefined) history.scales[position] = scale;
}
