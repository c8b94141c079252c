import type {
  Affine,
  EncoderLayer,
  EncoderLayerShape,
  EncoderModel,
  LayerNorm,
} from "../model/encoder-model.ts";
import { bitLength, magnitude, roundShift } from "../numerics/fixed-point.ts";
import { quantiseRow } from "../numerics/quantise.ts";
import {
  applyScale,
  multiplyScales,
  reciprocal,
  reciprocalRoot,
  type Scale,
  timesPowerOfTwo,
} from "../numerics/scale.ts";
import { ACTIVATION_FRACTION, RESIDUAL_FRACTION, sigmoid, UNIT_FRACTION } from "../numerics/tables.ts";
import { attend, type HeadHistory } from "./attend.ts";
import { keepHead } from "./heads.ts";
import { layerNormRow } from "./layer-norm.ts";
import { multiplyRow } from "./multiply.ts";

/** A quantised row with its scale. */
interface Quantised {
  readonly row: Int16Array;
  readonly scale: Scale;
}

/**
 * The forward pass of a sentence encoder, as docs/numerics.md specifies it: one row of unit length for a text.
 * @param tokens those beyond the context are left out
 * @returns i16[output] in Q15, at most ±32,767
 * @throws RangeError for no tokens, or one beyond the vocabulary
 */
export function encodeTokens(model: EncoderModel, tokens: readonly number[]): Int16Array {
  const { shape } = model;
  const kept = tokens.slice(0, shape.context);
  if (kept.length === 0) throw new RangeError("a text without tokens");
  let rows = kept.map((token, position) => embed(model, token, position));
  for (const [index, layer] of model.layers.entries()) {
    const sizes = shape.layers[index];
    if (sizes === undefined) throw new RangeError(`layer ${index} has no sizes`);
    rows = attention(layer, sizes, model.exp2Table, rows);
    for (const x of rows) feedForward(layer, x);
  }
  return unitRow(hyperbolicTangents(affine(model.pool, mean(rows), ACTIVATION_FRACTION), model.sigmoidTable));
}

/** A token's embedding with its place, in Q16. */
function embed({ shape, embeddings, positions }: EncoderModel, token: number, position: number): Int32Array {
  const { width, vocabulary } = shape;
  if (!(Number.isInteger(token) && token >= 0 && token < vocabulary))
    throw new RangeError(`token ${token} of a vocabulary of ${vocabulary}`);
  const scale = embeddings.scales[token] ?? 0;
  return Int32Array.from({ length: width }, (_, i) => {
    const value = applyScale(embeddings.values[token * width + i] ?? 0, scale, RESIDUAL_FRACTION);
    return (value + ((positions[position * width + i] ?? 0) << (RESIDUAL_FRACTION - UNIT_FRACTION))) | 0;
  });
}

/** Every position over all positions. */
function attention(
  layer: EncoderLayer,
  { heads, headSize }: EncoderLayerShape,
  exp2Table: Int32Array,
  rows: readonly Int32Array[],
): Int32Array[] {
  const history = (): HeadHistory[] =>
    Array.from({ length: heads }, () => ({
      values: new Int16Array(rows.length * headSize),
      scales: new Uint32Array(rows.length),
    }));
  const queries = history();
  const keys = history();
  const values = history();
  for (const [position, x] of rows.entries()) {
    const normed = normedRow(x, layer.attentionNorm);
    remember(queries, position, affine(layer.query, normed, ACTIVATION_FRACTION));
    remember(keys, position, affine(layer.key, normed, ACTIVATION_FRACTION));
    remember(values, position, affine(layer.value, normed, ACTIVATION_FRACTION));
  }
  return rows.map((x, position) => {
    const mixed = new Int32Array(heads * headSize);
    for (const [head, query] of queries.entries()) {
      const ownKeys = keys[head];
      const ownValues = values[head];
      if (ownKeys === undefined || ownValues === undefined) throw new RangeError("a head without a history");
      const row = query.values.subarray(position * headSize, (position + 1) * headSize);
      const scale = multiplyScales(query.scales[position] ?? 0, layer.scoreScale);
      const out = mixed.subarray(head * headSize, (head + 1) * headSize);
      attend(row, scale, ownKeys, ownValues, rows.length, exp2Table, out);
    }
    const stream =
      layer.bridge === undefined
        ? x
        : affine(layer.bridge, quantised(x, RESIDUAL_FRACTION), RESIDUAL_FRACTION);
    return added(stream, affine(layer.output, quantised(mixed, ACTIVATION_FRACTION), RESIDUAL_FRACTION));
  });
}

/** Splits a row in heads and keeps each with its scale. @param row in Q14 */
function remember(heads: readonly HeadHistory[], position: number, row: Int32Array): void {
  const size = row.length / heads.length;
  const out = new Int16Array(size);
  for (const [head, { values, scales }] of heads.entries()) {
    scales[position] = keepHead(row.subarray(head * size, (head + 1) * size), out);
    values.set(out, position * size);
  }
}

/** @param x changed in place */
function feedForward(layer: EncoderLayer, x: Int32Array): void {
  const inner = affine(layer.up, normedRow(x, layer.feedNorm), ACTIVATION_FRACTION);
  for (let i = 0; i < inner.length; i += 1) inner[i] = Math.max(0, inner[i] ?? 0);
  x.set(added(x, affine(layer.down, quantised(inner, ACTIVATION_FRACTION), RESIDUAL_FRACTION)));
}

/** The mean of rows, quantised. The sum is shifted, where it would leave i32, before it is added up. @param rows in Q16 */
function mean(rows: readonly Int32Array[]): Quantised {
  let largest = 0;
  for (const x of rows) for (const value of x) largest = Math.max(largest, magnitude(value));
  const bits = Math.max(0, bitLength(largest) + bitLength(rows.length) - 31);
  const sum = new Int32Array(rows[0]?.length ?? 0);
  for (const x of rows)
    for (let i = 0; i < sum.length; i += 1) sum[i] = (sum[i] ?? 0) + roundShift(x[i] ?? 0, bits);
  const { row, scale } = quantised(sum, RESIDUAL_FRACTION - bits);
  return { row, scale: multiplyScales(scale, reciprocal(rows.length)) };
}

/** `tanh(x) = 2 / (1 + e^-2x) - 1`. @param x in Q14 @returns in Q15 */
function hyperbolicTangents(x: Int32Array, table: Int32Array): Int32Array {
  return x.map((value) => 2 * sigmoid(saturatingDouble(value), table) - (1 << UNIT_FRACTION));
}

/** Beyond 2^29, which is 32,768 in Q14, the table's end is reached long since. */
function saturatingDouble(x: number): number {
  return 2 * Math.max(-(2 ** 29), Math.min(2 ** 29, x));
}

/** A row divided by its length. @param x in Q15, at most 1 @returns in Q15 */
function unitRow(x: Int32Array): Int16Array {
  let high = 0;
  let low = 0;
  for (const value of x) {
    const square = Math.imul(value, value) >>> 0;
    high += square >>> 16;
    low += square & 0xffff;
  }
  const root = reciprocalRoot((high + (low >>> 16)) >>> 0, low & 0xffff);
  return Int16Array.from(x, (value) =>
    Math.max(-32_767, Math.min(32_767, applyScale(value, root, UNIT_FRACTION))),
  );
}

function normedRow(x: Int32Array, norm: LayerNorm): Quantised {
  const row = new Int16Array(x.length);
  return { row, scale: layerNormRow(x, norm, row) };
}

/** @param fraction of `values` */
function quantised(values: Int32Array, fraction: number): Quantised {
  const row = new Int16Array(values.length);
  return { row, scale: timesPowerOfTwo(quantiseRow(values, row), -fraction) };
}

/** A matrix times a row, plus the bias, which has `fraction` bits of fraction as well. */
function affine({ matrix, bias }: Affine, { row, scale }: Quantised, fraction: number): Int32Array {
  return added(multiplyRow(matrix, row, scale, fraction), bias);
}

function added(x: Int32Array, y: Int32Array): Int32Array {
  return x.map((value, i) => (value + (y[i] ?? 0)) | 0);
}
