import type { LlamaLayer, LlamaModel } from "../model/llama-model.ts";
import {
  type FloatLlama,
  type FloatLlamaLayer,
  type LlamaTraits,
  quantiseLayer,
  quantiseTraits,
} from "./float-llama.ts";
import { ROWS_AT_ONCE_FLOATS } from "./limits.ts";
import { emptyEmbeddings, emptyMatrix, quantiseEmbeddingRows, quantiseRows } from "./quantise-weights.ts";

/** A Llama model in a file, read part by part, so that its floats need not fit in memory. */
export interface LlamaSource extends LlamaTraits {
  /** Whether the head is a matrix of its own. */
  readonly hasHead: boolean;
  /** f32[count, width], from row `first` on. */
  embeddings(first: number, count: number): Promise<Float32Array>;
  layer(index: number): Promise<FloatLlamaLayer>;
  /** f32[count, width]; where there is no head, rows of the embeddings. */
  head(first: number, count: number): Promise<Float32Array>;
}

/** Quantises a model, one layer at a time. @param bits of a weight; the head always has 8 */
export async function quantiseSource(source: LlamaSource, bits: 4 | 8): Promise<LlamaModel> {
  const { width, vocabulary } = source.shape;
  const embeddings = emptyEmbeddings(vocabulary, width);
  for await (const [first, rows] of allRows(source, "embeddings"))
    quantiseEmbeddingRows(embeddings, first, rows);
  const layers: LlamaLayer[] = [];
  for await (const layer of quantisedLayers(source, bits)) layers.push(layer);
  const head = emptyMatrix(vocabulary, width, 8);
  for await (const [first, rows] of allRows(source, "head")) quantiseRows(head, first, rows);
  return { ...quantiseTraits(source), embeddings, layers, head };
}

/** The layers in order, each made when it is asked for: that is what the waiting in loops is for, here and below. */
export async function* quantisedLayers(source: LlamaSource, bits: 4 | 8): AsyncGenerator<LlamaLayer, void> {
  for (let index = 0; index < source.shape.layers; index += 1)
    // oxlint-disable-next-line no-await-in-loop
    yield quantiseLayer(source.shape, await source.layer(index), bits);
}

/** The whole model in floats. */
export async function loadLlama(source: LlamaSource): Promise<FloatLlama> {
  const { shape, epsilon, rotationBase, rotationFactors, finalNorm } = source;
  const layers: FloatLlamaLayer[] = [];
  // oxlint-disable-next-line no-await-in-loop
  for (let index = 0; index < shape.layers; index += 1) layers.push(await source.layer(index));
  return {
    shape,
    epsilon,
    rotationBase,
    ...(rotationFactors === undefined ? {} : { rotationFactors }),
    finalNorm,
    layers,
    embeddings: await source.embeddings(0, shape.vocabulary),
    ...(source.hasHead ? { head: await source.head(0, shape.vocabulary) } : {}),
  };
}

async function* allRows(
  source: LlamaSource,
  part: "embeddings" | "head",
): AsyncGenerator<readonly [first: number, rows: Float32Array], void> {
  const { vocabulary, width } = source.shape;
  const step = Math.max(1, Math.floor(ROWS_AT_ONCE_FLOATS / width));
  for (let first = 0; first < vocabulary; first += step)
    // oxlint-disable-next-line no-await-in-loop
    yield [first, await source[part](first, Math.min(step, vocabulary - first))];
}
