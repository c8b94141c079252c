import type { LlamaModel, LlamaShape } from "../model/llama-model.ts";
import { edgeLlama, Numbers } from "../webgpu/edge-models.ts";

/** A matrix's rows are short enough that sums of extremes stay within their bound, see edge-models.ts. */
export const PROBE_SHAPE: LlamaShape = {
  width: 512,
  inner: 544,
  layers: 2,
  heads: 8,
  keyHeads: 8,
  headSize: 64,
  // A token for each byte.
  vocabulary: 256,
  context: 64,
  rotation: "halves",
};

/** Seed of its numbers; another one is another model, and every answer to a challenge another one. */
const SEED = 0x7ab5;

/**
 * The model of challenges: 4 million multiply-adds a token in the very kernels that models run, over weights of 4 MB. It means
 * nothing, is the same everywhere, and is never sent.
 */
export function probeModel(): LlamaModel {
  const numbers = new Numbers(SEED);
  const tables = edgeLlama(8);
  const { width, inner, layers, heads, headSize, vocabulary, context } = PROBE_SHAPE;
  const attention = heads * headSize;
  const turns = (context * headSize) / 2;
  return {
    ...tables,
    shape: PROBE_SHAPE,
    embeddings: {
      rows: vocabulary,
      columns: width,
      values: numbers.factors(vocabulary * width, 0).values,
      scales: Uint32Array.from({ length: vocabulary }, () => numbers.scale(-46, 22)),
    },
    layers: Array.from({ length: layers }, () => ({
      attentionNorm: numbers.factors(width, 14),
      query: numbers.matrix(attention, width, 8, SMALL),
      key: numbers.matrix(attention, width, 8, SMALL),
      value: numbers.matrix(attention, width, 8),
      output: numbers.matrix(width, attention, 8),
      feedNorm: numbers.factors(width, 11),
      gate: numbers.matrix(inner, width, 8),
      up: numbers.matrix(inner, width, 8),
      down: numbers.matrix(width, inner, 8),
    })),
    finalNorm: numbers.factors(width, 13),
    head: numbers.matrix(vocabulary, width, 8),
    cosines: Int16Array.from({ length: turns }, () => numbers.one(ANGLES)),
    sines: Int16Array.from({ length: turns }, () => numbers.one(ANGLES)),
  };
}

/** Scores of attention lie close together. */
const SMALL = -38;
const ANGLES = [32_767, -32_767, 0, 23_170, 1, -19_000] as const;
