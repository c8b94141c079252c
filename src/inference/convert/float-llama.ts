import type { LlamaLayer, LlamaModel, LlamaShape } from "../model/llama-model.ts";
import { exp2Table, rotationTables, sigmoidTable } from "./make-tables.ts";
import { quantiseEmbeddings, quantiseFactors, quantiseMatrix, scaleOf } from "./quantise-weights.ts";

/** What a Llama model is, apart from its weights. */
export interface LlamaTraits {
  readonly shape: LlamaShape;
  /** Of the norms. */
  readonly epsilon: number;
  readonly rotationBase: number;
  /** f32[headSize / 2], by which the angles are divided; Llama 3 has them. */
  readonly rotationFactors?: Float32Array;
  readonly finalNorm: Float32Array;
}

/** A Llama model as trained, whatever file it came from. All matrices f32[outputs, inputs], row-major. */
export interface FloatLlama extends LlamaTraits {
  readonly embeddings: Float32Array;
  readonly layers: readonly FloatLlamaLayer[];
  /** Absent where the embeddings serve (tied). */
  readonly head?: Float32Array;
}

export interface FloatLlamaLayer {
  readonly attentionNorm: Float32Array;
  readonly query: Float32Array;
  readonly key: Float32Array;
  readonly value: Float32Array;
  readonly queryBias?: Float32Array;
  readonly keyBias?: Float32Array;
  readonly valueBias?: Float32Array;
  readonly output: Float32Array;
  readonly feedNorm: Float32Array;
  readonly gate: Float32Array;
  readonly up: Float32Array;
  readonly down: Float32Array;
}

/** Quantises a model that is in memory. @param bits of a weight; the head always has 8 */
export function quantiseLlama(source: FloatLlama, bits: 4 | 8): LlamaModel {
  const { width, vocabulary } = source.shape;
  return {
    ...quantiseTraits(source),
    embeddings: quantiseEmbeddings(source.embeddings, vocabulary, width),
    layers: source.layers.map((layer) => quantiseLayer(source.shape, layer, bits)),
    head: quantiseMatrix(source.head ?? source.embeddings, vocabulary, width, 8),
  };
}

/** All of a quantised model but embeddings, layers and head. */
export function quantiseTraits(traits: LlamaTraits): Omit<LlamaModel, "embeddings" | "layers" | "head"> {
  const { shape, epsilon } = traits;
  const { width, headSize, context } = shape;
  return {
    kind: "llama",
    shape,
    finalNorm: quantiseFactors(traits.finalNorm),
    normEpsilon: Math.min(2 ** 32 - 1, Math.round(width * epsilon * 2 ** 32)),
    rootWidth: scaleOf(Math.sqrt(width)),
    scoreScale: scaleOf(Math.LOG2E / Math.sqrt(headSize)),
    ...rotationTables(context, headSize, traits.rotationBase, traits.rotationFactors),
    exp2Table: exp2Table(),
    sigmoidTable: sigmoidTable(),
  };
}

/** @param bits of a weight */
export function quantiseLayer(shape: LlamaShape, layer: FloatLlamaLayer, bits: 4 | 8): LlamaLayer {
  const { width, inner, heads, keyHeads, headSize } = shape;
  const matrix = (weights: Float32Array, rows: number, columns: number): ReturnType<typeof quantiseMatrix> =>
    quantiseMatrix(weights, rows, columns, bits);
  return {
    attentionNorm: quantiseFactors(layer.attentionNorm),
    query: matrix(layer.query, heads * headSize, width),
    key: matrix(layer.key, keyHeads * headSize, width),
    value: matrix(layer.value, keyHeads * headSize, width),
    ...(layer.queryBias === undefined ? {} : { queryBias: biasOf(layer.queryBias) }),
    ...(layer.keyBias === undefined ? {} : { keyBias: biasOf(layer.keyBias) }),
    ...(layer.valueBias === undefined ? {} : { valueBias: biasOf(layer.valueBias) }),
    output: matrix(layer.output, width, heads * headSize),
    feedNorm: quantiseFactors(layer.feedNorm),
    gate: matrix(layer.gate, inner, width),
    up: matrix(layer.up, inner, width),
    down: matrix(layer.down, width, inner),
  };
}

/** In Q14. @throws RangeError for one beyond i32 */
export function biasOf(bias: Float32Array): Int32Array {
  return Int32Array.from(bias, (value) => {
    const fixed = Math.round(value * 2 ** 14);
    if (fixed !== (fixed | 0)) throw new RangeError(`a bias of ${value} is beyond 32 bits`);
    return fixed;
  });
}
