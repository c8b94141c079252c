import type { LlamaShape } from "../../model/llama-model.ts";
import type { FloatLlamaLayer } from "../float-llama.ts";
import type { LlamaSource } from "../llama-source.ts";
import { readLlamaNumbers } from "./llama-traits.ts";
import type { GgufFile, GgufTensor } from "./open-gguf.ts";
import { findTensor, readRows, readTensor } from "./read-tensor.ts";

export interface LlamaOptions {
  /** Positions at most; DEFAULT_CONTEXT if left out, since the tables of angles are stored for each. */
  readonly context?: number;
}

const ROTATION_FACTORS = "rope_freqs.weight";
/** Old files repeat the angles, which are computed here. */
const REPEATED = /\.attn_rot_embd$|^rope_freqs\.inv/;

/** Part of a layer, its dimensions in GGUF's order (inputs first), and whether it may be missing. */
type Part = readonly [name: string, dimensions: readonly number[], optional?: "optional"];

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

function layerParts({
  width,
  inner,
  heads,
  keyHeads,
  headSize,
}: LlamaShape): Record<keyof FloatLlamaLayer, Part> {
  const queries = heads * headSize;
  const keys = keyHeads * headSize;
  return {
    attentionNorm: ["attn_norm.weight", [width]],
    query: ["attn_q.weight", [width, queries]],
    key: ["attn_k.weight", [width, keys]],
    value: ["attn_v.weight", [width, keys]],
    queryBias: ["attn_q.bias", [queries], "optional"],
    keyBias: ["attn_k.bias", [keys], "optional"],
    valueBias: ["attn_v.bias", [keys], "optional"],
    output: ["attn_output.weight", [queries, width]],
    feedNorm: ["ffn_norm.weight", [width]],
    gate: ["ffn_gate.weight", [width, inner]],
    up: ["ffn_up.weight", [width, inner]],
    down: ["ffn_down.weight", [inner, width]],
  };
}

/** Every tensor has its place: one that is not understood would be missing in the sums. Checks shapes as well. */
function refuseOthers(file: GgufFile, shape: LlamaShape): void {
  const known = new Set(["token_embd.weight", "output.weight", "output_norm.weight", ROTATION_FACTORS]);
  const parts = Object.values(layerParts(shape));
  for (let index = 0; index < shape.layers; index += 1)
    for (const [name, dimensions, optional] of parts) {
      const whole = `blk.${index}.${name}`;
      if (optional === undefined || file.tensors.has(whole)) findTensor(file, whole, ...dimensions);
      known.add(whole);
    }
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
  const find = ([name, dimensions]: Part): GgufTensor =>
    findTensor(file, `blk.${index}.${name}`, ...dimensions);
  const read = (part: Part): Promise<Float32Array> => readTensor(file, find(part));
  const bias = (part: Part): Promise<Float32Array> | undefined =>
    file.tensors.has(`blk.${index}.${part[0]}`) ? read(part) : undefined;
  const attentionNorm = await read(parts.attentionNorm);
  const query = await read(parts.query);
  const key = await read(parts.key);
  const value = await read(parts.value);
  const queryBias = await bias(parts.queryBias);
  const keyBias = await bias(parts.keyBias);
  const valueBias = await bias(parts.valueBias);
  const output = await read(parts.output);
  const feedNorm = await read(parts.feedNorm);
  const gate = await read(parts.gate);
  const up = await read(parts.up);
  const down = await read(parts.down);
  return {
    attentionNorm,
    query,
    key,
    value,
    ...(queryBias === undefined ? {} : { queryBias }),
    ...(keyBias === undefined ? {} : { keyBias }),
    ...(valueBias === undefined ? {} : { valueBias }),
    output,
    feedNorm,
    gate,
    up,
    down,
  };
}
