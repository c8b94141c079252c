/* Models with random weights, of any shape: what backends are compared on. */
import { type FloatLlama } from "../convert/float-llama.ts";
import type { LlamaShape } from "./llama-model.ts";

export const SMALL_SHAPE: LlamaShape = {
  width: 48,
  inner: 70,
  layers: 2,
  heads: 4,
  keyHeads: 2,
  headSize: 10,
  vocabulary: 33,
  context: 24,
  rotation: "halves",
};

/** @param outliers factor of a few channels of the embeddings, as trained models have them */
export function randomLlama(
  shape: LlamaShape,
  seed: number,
  options: { readonly biases?: boolean; readonly outliers?: number } = {},
): FloatLlama {
  let state = seed >>> 0;
  const uniform = (): number => {
    state = (state + 0x9e37_79b9) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0_aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a_2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  };
  const normal = (): number =>
    Math.sqrt(-2 * Math.log(uniform() + 1e-12)) * Math.cos(2 * Math.PI * uniform());
  const vector = (length: number, size: number, mean = 0): Float32Array =>
    Float32Array.from({ length }, () => mean + normal() * size);
  const { width, inner, heads, keyHeads, headSize, vocabulary } = shape;
  const queries = heads * headSize;
  const keys = keyHeads * headSize;
  const matrix = (rows: number, columns: number, gain = 1): Float32Array =>
    vector(rows * columns, gain / Math.sqrt(columns));
  const embeddings = vector(vocabulary * width, 1);
  for (let channel = 7 % width; channel < width; channel += 131)
    for (let token = 0; token < vocabulary; token += 1)
      embeddings[token * width + channel]! *= options.outliers ?? 1;
  return {
    shape,
    epsilon: 1e-5,
    rotationBase: 10_000,
    embeddings,
    layers: Array.from({ length: shape.layers }, () => ({
      attentionNorm: vector(width, 0.15, 1),
      query: matrix(queries, width, 1.3),
      key: matrix(keys, width, 1.3),
      value: matrix(keys, width),
      ...(options.biases === true
        ? { queryBias: vector(queries, 0.5), keyBias: vector(keys, 0.5), valueBias: vector(keys, 0.1) }
        : {}),
      output: matrix(width, queries, 0.6),
      feedNorm: vector(width, 0.15, 1),
      gate: matrix(inner, width),
      up: matrix(inner, width),
      down: matrix(width, inner),
    })),
    finalNorm: vector(width, 0.1, 1),
    head: matrix(vocabulary, width),
  };
}
