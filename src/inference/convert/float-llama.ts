import type { LlamaModel, LlamaShape } from "../model/llama-model.ts";
import { exp2Table, rotationTables, sigmoidTable } from "./make-tables.ts";
import { quantiseEmbeddings, quantiseFactors, quantiseMatrix, scaleOf } from "./quantise-weights.ts";

/** A Llama model as trained, whatever file it came from. All matrices f32[outputs, inputs], row-major. */
export interface FloatLlama {
  readonly shape: LlamaShape;
  readonly epsilon: number;
  readonly rotationBase: number;
  readonly rotationFactors?: Float32Array;
  readonly embeddings: Float32Array;
  readonly layers: readonly FloatLlamaLayer[];
  readonly finalNorm: Float32Array;
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

/** Quantises a model. @param bits of a weight */
export function quantiseLlama(source: FloatLlama, bits: 4 | 8): LlamaModel {
  const { shape, epsilon } = source;
  const { width, inner, heads, keyHeads, headSize, vocabulary, context } = shape;
  const matrix = (weights: Float32Array, rows: number, columns: number): ReturnType<typeof quantiseMatrix> =>
    quantiseMatrix(weights, rows, columns, bits);
  return {
    kind: "llama",
    shape,
    embeddings: quantiseEmbeddings(source.embeddings, vocabulary, width),
    layers: source.layers.map((layer) => ({
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
    })),
    finalNorm: quantiseFactors(source.finalNorm),
    head: quantiseMatrix(source.head ?? source.embeddings, vocabulary, width, 8),
    normEpsilon: Math.min(2 ** 32 - 1, Math.round(width * epsilon * 2 ** 32)),
    rootWidth: scaleOf(Math.sqrt(width)),
    scoreScale: scaleOf(Math.LOG2E / Math.sqrt(headSize)),
    ...rotationTables(context, headSize, source.rotationBase, source.rotationFactors),
    exp2Table: exp2Table(),
    sigmoidTable: sigmoidTable(),
  };
}

/** In Q14. */
function biasOf(bias: Float32Array): Int32Array {
  return Int32Array.from(bias, (value) => Math.round(value * 2 ** 14));
}
