import type {
  Affine,
  EncoderLayer,
  EncoderLayerShape,
  EncoderModel,
  EncoderShape,
  LayerNorm,
} from "../model/encoder-model.ts";
import { ACTIVATION_FRACTION, RESIDUAL_FRACTION, UNIT_FRACTION } from "../numerics/tables.ts";
import { exp2Table, sigmoidTable } from "./make-tables.ts";
import { quantiseEmbeddings, quantiseFactors, quantiseMatrix, scaleOf } from "./quantise-weights.ts";

/** A sentence encoder as trained. Matrices f32[outputs, inputs], row-major. */
export interface FloatEncoder {
  readonly shape: EncoderShape;
  /** Of the norms. */
  readonly epsilon: number;
  /** f32[vocabulary, width]. */
  readonly embeddings: Float32Array;
  /** f32[context, width], within -1 and 1. */
  readonly positions: Float32Array;
  readonly layers: readonly FloatEncoderLayer[];
  readonly pool: FloatAffine;
}

export interface FloatAffine {
  readonly weights: Float32Array;
  readonly bias: Float32Array;
}

export interface FloatLayerNorm {
  readonly factors: Float32Array;
  readonly offsets: Float32Array;
}

export interface FloatEncoderLayer {
  readonly attentionNorm: FloatLayerNorm;
  readonly query: FloatAffine;
  readonly key: FloatAffine;
  readonly value: FloatAffine;
  /** By which queries are multiplied. */
  readonly queryFactor: number;
  readonly output: FloatAffine;
  readonly bridge?: FloatAffine;
  readonly feedNorm: FloatLayerNorm;
  readonly up: FloatAffine;
  readonly down: FloatAffine;
}

/** Quantises an encoder. @param bits of a weight @throws RangeError for weights that do not have the shape's sizes */
export function quantiseEncoder(source: FloatEncoder, bits: 4 | 8): EncoderModel {
  const { shape, epsilon } = source;
  const last = shape.layers.at(-1)?.width ?? shape.width;
  let width = shape.width;
  const layers = source.layers.map((layer, index) => {
    const sizes = shape.layers[index];
    if (sizes?.input !== width) throw new RangeError(`layer ${index} does not go on from ${width} values`);
    ({ width } = sizes);
    return quantiseLayer(layer, sizes, epsilon, bits);
  });
  if (layers.length !== shape.layers.length)
    throw new RangeError(`${layers.length} layers of ${shape.layers.length}`);
  expectLength(source.embeddings, shape.vocabulary * shape.width, "embeddings");
  expectLength(source.positions, shape.context * shape.width, "positions");
  return {
    kind: "encoder",
    shape,
    embeddings: quantiseEmbeddings(source.embeddings, shape.vocabulary, shape.width),
    positions: Int16Array.from(source.positions, (value) => Math.round(value * (2 ** UNIT_FRACTION - 1))),
    layers,
    pool: affineOf(source.pool, shape.output, last, ACTIVATION_FRACTION, bits),
    exp2Table: exp2Table(),
    sigmoidTable: sigmoidTable(),
  };
}

function quantiseLayer(
  layer: FloatEncoderLayer,
  { input, width, heads, headSize, inner }: EncoderLayerShape,
  epsilon: number,
  bits: 4 | 8,
): EncoderLayer {
  const inside = (part: FloatAffine, rows: number, columns: number): Affine =>
    affineOf(part, rows, columns, ACTIVATION_FRACTION, bits);
  const toStream = (part: FloatAffine, columns: number): Affine =>
    affineOf(part, width, columns, RESIDUAL_FRACTION, bits);
  const mixed = heads * headSize;
  if ((layer.bridge === undefined) !== (input === width))
    throw new RangeError("a bridge is for layers that change the width, and for those alone");
  return {
    attentionNorm: normOf(layer.attentionNorm, input, epsilon),
    query: inside(layer.query, mixed, input),
    key: inside(layer.key, mixed, input),
    value: inside(layer.value, mixed, input),
    scoreScale: scaleOf(Math.LOG2E * layer.queryFactor),
    output: toStream(layer.output, mixed),
    ...(layer.bridge === undefined ? {} : { bridge: toStream(layer.bridge, input) }),
    feedNorm: normOf(layer.feedNorm, width, epsilon),
    up: inside(layer.up, inner, width),
    down: toStream(layer.down, inner),
  };
}

function affineOf(
  { weights, bias }: FloatAffine,
  rows: number,
  columns: number,
  fraction: number,
  bits: 4 | 8,
): Affine {
  expectLength(weights, rows * columns, "a matrix");
  expectLength(bias, rows, "a bias");
  return { matrix: quantiseMatrix(weights, rows, columns, bits), bias: fixed(bias, fraction) };
}

function normOf({ factors, offsets }: FloatLayerNorm, width: number, epsilon: number): LayerNorm {
  expectLength(factors, width, "a norm");
  expectLength(offsets, width, "a norm");
  return {
    factors: quantiseFactors(factors),
    offsets: fixed(offsets, RESIDUAL_FRACTION),
    epsilon: Math.min(2 ** 32 - 1, Math.round(width ** 3 * epsilon * 2 ** 16)),
    rootWidth: scaleOf(Math.sqrt(width)),
  };
}

function expectLength(values: Float32Array, length: number, what: string): void {
  if (values.length !== length) throw new RangeError(`${what} has ${values.length} values, not ${length}`);
}

/** @throws RangeError for a value beyond i32 */
function fixed(values: Float32Array, fraction: number): Int32Array {
  return Int32Array.from(values, (value) => {
    const whole = Math.round(value * 2 ** fraction);
    if (whole !== (whole | 0)) throw new RangeError(`a bias of ${value} is beyond 32 bits`);
    return whole;
  });
}
