import type { LlamaShape } from "../../model/llama-model.ts";
import type { FloatLlamaLayer } from "../float-llama.ts";
import type { LlamaSource } from "../llama-source.ts";
import { readLlamaNumbers } from "./llama-traits.ts";
import type { GgufFile } from "./open-gguf.ts";
import { findTensor, readRows, readTensor } from "./read-tensor.ts";

export interface LlamaOptions {
  /** Positions at most; DEFAULT_CONTEXT if left out, since the tables of angles are stored for each. */
  readonly context?: number;
}

const ROTATION_FACTORS = "rope_freqs.weight";
/** Old files repeat the angles, which are computed here. */
const REPEATED = /\.attn_rot_embd$|^rope_freqs\.inv/;

/** Part of a layer, and its dimensions in GGUF's order (inputs first). */
type Part = readonly [name: string, dimensions: readonly number[]];
type Biases = "queryBias" | "keyBias" | "valueBias";

/** Tells of all layers whether queries, keys and values have biases. */
const FIRST_BIAS = "blk.0.attn_q.bias";

/**
 * The Llama or Qwen2 model of a GGUF. Names and shapes of all tensors are checked here, values as they are read.
 * @throws RangeError for a model that the engine cannot compute, naming what is in the way
 */
export async function llamaFromGguf(file: GgufFile, { context }: LlamaOptions = {}): Promise<LlamaSource> {
  const { shape, epsilon, rotationBase, rotationFactor } = readLlamaNumbers(file, context);
  const { width, vocabulary } = shape;
  const embeddings = findTensor(file, "token_embd.weight", width, vocabulary);
  const hasHead = file.tensors.has("output.weight");
  const head = hasHead ? findTensor(file, "output.weight", width, vocabulary) : embeddings;
  const finalNorm = await readTensor(file, findTensor(file, "output_norm.weight", width));
  refuseOthers(file, shape);
  const factors = await readFactors(file, shape, rotationFactor);
  return {
    shape,
    epsilon,
    rotationBase,
    ...(factors === undefined ? {} : { rotationFactors: factors }),
    finalNorm,
    hasHead,
    embeddings: (first, count) => readRows(file, embeddings, first, count),
    head: (first, count) => readRows(file, head, first, count),
    layer: (index) => readLayer(file, shape, index),
  };
}

function layerParts(shape: LlamaShape): Record<Exclude<keyof FloatLlamaLayer, Biases>, Part> {
  const { width, inner, heads, keyHeads, headSize } = shape;
  const queries = heads * headSize;
  const keys = keyHeads * headSize;
  return {
    attentionNorm: ["attn_norm.weight", [width]],
    query: ["attn_q.weight", [width, queries]],
    key: ["attn_k.weight", [width, keys]],
    value: ["attn_v.weight", [width, keys]],
    output: ["attn_output.weight", [queries, width]],
    feedNorm: ["ffn_norm.weight", [width]],
    gate: ["ffn_gate.weight", [width, inner]],
    up: ["ffn_up.weight", [width, inner]],
    down: ["ffn_down.weight", [inner, width]],
  };
}

function biasParts({ heads, keyHeads, headSize }: LlamaShape): Record<Biases, Part> {
  return {
    queryBias: ["attn_q.bias", [heads * headSize]],
    keyBias: ["attn_k.bias", [keyHeads * headSize]],
    valueBias: ["attn_v.bias", [keyHeads * headSize]],
  };
}

/** Every tensor has its place: one that is not understood would be missing in the sums. Checks shapes as well. */
function refuseOthers(file: GgufFile, shape: LlamaShape): void {
  const known = new Set(["token_embd.weight", "output.weight", "output_norm.weight", ROTATION_FACTORS]);
  const biases = file.tensors.has(FIRST_BIAS) ? Object.values(biasParts(shape)) : [];
  const parts = [...Object.values(layerParts(shape)), ...biases];
  for (let index = 0; index < shape.layers; index += 1)
    for (const [name, dimensions] of parts)
      known.add(findTensor(file, `blk.${index}.${name}`, ...dimensions).name);
  for (const name of file.tensors.keys())
    if (!known.has(name) && !REPEATED.test(name))
      throw new RangeError(
        `the file has a tensor ${name}, which is no part of the models that can be converted`,
      );
}

async function readFactors(
  file: GgufFile,
  { headSize }: LlamaShape,
  factor: number,
): Promise<Float32Array | undefined> {
  const half = headSize / 2;
  if (!file.tensors.has(ROTATION_FACTORS))
    return factor === 1 ? undefined : new Float32Array(half).fill(factor);
  const factors = await readTensor(file, findTensor(file, ROTATION_FACTORS, half));
  if (factors.some((value) => !(value > 0)))
    throw new RangeError(`${ROTATION_FACTORS} has a factor of 0 or less`);
  return factors.map((value) => value * factor);
}

async function readLayer(file: GgufFile, shape: LlamaShape, index: number): Promise<FloatLlamaLayer> {
  const parts = layerParts(shape);
  const read = ([name, dimensions]: Part): Promise<Float32Array> =>
    readTensor(file, findTensor(file, `blk.${index}.${name}`, ...dimensions));
  const biases = biasParts(shape);
  return {
    attentionNorm: await read(parts.attentionNorm),
    query: await read(parts.query),
    key: await read(parts.key),
    value: await read(parts.value),
    ...(file.tensors.has(FIRST_BIAS)
      ? {
          queryBias: await read(biases.queryBias),
          keyBias: await read(biases.keyBias),
          valueBias: await read(biases.valueBias),
        }
      : {}),
    output: await read(parts.output),
    feedNorm: await read(parts.feedNorm),
    gate: await read(parts.gate),
    up: await read(parts.up),
    down: await read(parts.down),
  };
}
