import type { LlamaModel, LlamaShape } from "./llama-model.ts";
import type { EmbeddingTable, FactorVector, Matrix } from "./matrix.ts";

/** What a stream of positions ends in. */
export interface LlamaHead {
  readonly finalNorm: FactorVector;
  readonly head: Matrix;
}

/**
 * Consecutive layers of a model. The first part has the embeddings, the last one the head; `shape` is that of the whole
 * model. A model is a part with all of it.
 */
export interface LlamaPart
  extends Omit<LlamaModel, "kind" | "embeddings" | keyof LlamaHead>, Partial<LlamaHead> {
  readonly embeddings?: EmbeddingTable;
}

/**
 * What the likeliest token of a position costs, beside all scores: a wrong guess is rare, and then one of the two planes
 * of activations decides nearly all rows of the head.
 */
const SHARE_OF_HEAD = 0.5;

/** Multiply-adds of a layer's matrices for one row. */
export function layerWork({ width, inner, heads, keyHeads, headSize }: LlamaShape): number {
  return width * (headSize * 2 * (heads + keyHeads) + 3 * inner);
}

/**
 * Where a model is cut so that the largest part has as few multiply-adds as can be.
 * @returns the layer that each part but the first begins with: one number less than there are parts
 */
export function balancedCuts(shape: LlamaShape, parts: number): readonly number[] {
  const { layers, width, vocabulary } = shape;
  if (parts === 1) return [];
  const head = (SHARE_OF_HEAD * width * vocabulary) / layerWork(shape);
  let best = { largest: Infinity, before: 0 };
  for (let before = layers; before >= 0; before -= 1) {
    const largest = Math.max(Math.ceil(before / (parts - 1)), layers - before + head);
    if (largest < best.largest) best = { largest, before };
  }
  return Array.from({ length: parts - 1 }, (_, i) => Math.ceil((best.before * (i + 1)) / (parts - 1)));
}

/** The parts of a model; all of them refer to its weights. @param cuts ascending, see balancedCuts */
export function cutModel(model: LlamaModel, cuts: readonly number[]): readonly LlamaPart[] {
  const { kind: _kind, embeddings, finalNorm, head, layers, ...tables } = model;
  const parts: LlamaPart[] = [];
  for (const [i, end] of [...cuts, layers.length].entries())
    parts.push({
      ...tables,
      layers: layers.slice(i === 0 ? 0 : cuts[i - 1], end),
      ...(i === 0 ? { embeddings } : {}),
      ...(i === cuts.length ? { finalNorm, head } : {}),
    });
  return parts;
}
