import type { Affine, EncoderLayer, EncoderModel, EncoderShape, LayerNorm } from "../model/encoder-model.ts";
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

/** Quantises an encoder. @param bits of a weight */
export function quantiseEncoder(source: FloatEncoder, bits: 4 | 8): EncoderModel {
  const { shape, epsilon } = source;
  return {
    kind: "encoder",
    shape,
    embeddings: quantiseEmbeddings(source.embeddings, shape.vocabulary, shape.width),
    positions: Int16Array.from(source.positions, (value) => Math.round(value * (2 ** UNIT_FRACTION - 1))),
    layers: source.layers.map((layer) => quantiseLayer(layer, epsilon, bits)),
    pool: affineOf(source.pool, ACTIVATION_FRACTION, bits),
    exp2Table: exp2Table(),
    sigmoidTable: sigmoidTable(),
  };
}

function quantiseLayer(layer: FloatEncoderLayer, epsilon: number, bits: 4 | 8): EncoderLayer {
  return {
    attentionNorm: normOf(layer.attentionNorm, epsilon),
    query: affineOf(layer.query, ACTIVATION_FRACTION, bits),
    key: affineOf(layer.key, ACTIVATION_FRACTION, bits),
    value: affineOf(layer.value, ACTIVATION_FRACTION, bits),
    scoreScale: scaleOf(Math.LOG2E * layer.queryFactor),
    output: affineOf(layer.output, RESIDUAL_FRACTION, bits),
    ...(layer.bridge === undefined ? {} : { bridge: affineOf(layer.bridge, RESIDUAL_FRACTION, bits) }),
    feedNorm: normOf(layer.feedNorm, epsilon),
    up: affineOf(layer.up, ACTIVATION_FRACTION, bits),
    down: affineOf(layer.down, RESIDUAL_FRACTION, bits),
  };
}

function affineOf({ weights, bias }: FloatAffine, fraction: number, bits: 4 | 8): Affine {
  const rows = bias.length;
  return { matrix: quantiseMatrix(weights, rows, weights.length / rows, bits), bias: fixed(bias, fraction) };
}

function normOf({ factors, offsets }: FloatLayerNorm, epsilon: number): LayerNorm {
  const width = factors.length;
  return {
    factors: quantiseFactors(factors),
    offsets: fixed(offsets, RESIDUAL_FRACTION),
    epsilon: Math.min(2 ** 32 - 1, Math.round(width ** 3 * epsilon * 2 ** 16)),
    rootWidth: scaleOf(Math.sqrt(width)),
  };
}

/** @throws RangeError for a value beyond i32 */
function fixed(values: Float32Array, fraction: number): Int32Array {
  return Int32Array.from(values, (value) => {
    const whole = Math.round(value * 2 ** fraction);
    if (whole !== (whole | 0)) throw new RangeError(`a bias of ${value} is beyond 32 bits`);
    return whole;
  });
}
