import type { LlamaShape } from "../../model/llama-model.ts";
import { LARGEST } from "../../model/limits.ts";
import { DEFAULT_CONTEXT } from "../limits.ts";
import type { GgufMetadata } from "./metadata.ts";
import { realNumber, required, textValue, wholeNumber } from "./metadata-access.ts";
import type { GgufFile } from "./open-gguf.ts";

/** Architectures that can be converted, and which values of a head turn together: llama.cpp stores a "llama" file's queries and keys so that neighbours do. */
const ROTATIONS: ReadonlyMap<string, LlamaShape["rotation"]> = new Map([
  ["llama", "neighbours"],
  ["qwen2", "halves"],
]);

/** Metadata that change the arithmetic in ways the engine does not know, where they are not 0. */
const FOREIGN = ["expert_count", "attention.max_alibi_bias", "attention.clamp_kqv", "logit_scale"] as const;

export interface LlamaNumbers {
  readonly shape: LlamaShape;
  readonly epsilon: number;
  readonly rotationBase: number;
  /** By which all angles are divided: linear scaling of the context. */
  readonly rotationFactor: number;
}

/** @param context positions that the model shall have at most @throws RangeError for what the engine cannot compute */
export function readLlamaNumbers(
  { metadata, tensors }: GgufFile,
  context: number = DEFAULT_CONTEXT,
): LlamaNumbers {
  if (!(Number.isInteger(context) && context >= 1)) throw new RangeError(`a context of ${context} positions`);
  const architecture = required(textValue(metadata, "general.architecture"), "general.architecture");
  const rotation = ROTATIONS.get(architecture);
  if (rotation === undefined)
    throw new RangeError(
      `models of architecture ${architecture} cannot be converted; these can: ${[...ROTATIONS.keys()].join(", ")}`,
    );
  const parts = wholeNumber(metadata, "split.count") ?? 1;
  if (parts > 1)
    throw new RangeError(`the model is split over ${parts} files; it has to be joined to one first`);
  for (const key of FOREIGN)
    if ((realNumber(metadata, `${architecture}.${key}`) ?? 0) !== 0)
      throw new RangeError(`models with ${architecture}.${key} cannot be converted`);
  const size = (key: string, largest: number, otherwise?: number): number =>
    sizeOf(metadata, `${architecture}.${key}`, largest, otherwise);
  const width = size("embedding_length", LARGEST.width);
  const heads = size("attention.head_count", LARGEST.heads);
  const keyHeads = size("attention.head_count_kv", LARGEST.heads, heads);
  const headSize = size("attention.key_length", LARGEST.headSize, Math.floor(width / heads));
  const vocabulary = required(tensors.get("token_embd.weight")?.dimensions[1], "token_embd.weight");
  if (vocabulary > LARGEST.vocabulary)
    throw new RangeError(`${vocabulary} tokens are more than ${LARGEST.vocabulary}`);
  // 0 stands for none.
  const window = wholeNumber(metadata, `${architecture}.attention.sliding_window`) || LARGEST.context;
  const shape: LlamaShape = {
    width,
    inner: size("feed_forward_length", LARGEST.inner),
    layers: size("block_count", LARGEST.layers),
    heads,
    keyHeads,
    headSize,
    vocabulary,
    context: Math.min(context, size("context_length", Infinity), window, LARGEST.context),
    rotation,
  };
  if (shape.context < 1) throw new RangeError(`a context of ${shape.context} positions`);
  if (heads % keyHeads !== 0) throw new RangeError(`${heads} heads cannot share ${keyHeads} heads of keys`);
  const same: readonly (readonly [key: string, value: number])[] = [
    ["attention.value_length", size("attention.value_length", LARGEST.headSize, headSize)],
    ["rope.dimension_count", size("rope.dimension_count", LARGEST.headSize, headSize)],
  ];
  for (const [key, value] of same)
    if (value !== headSize)
      throw new RangeError(`${architecture}.${key} is ${value}, not the size of a head, ${headSize}`);
  if (headSize % 2 !== 0) throw new RangeError(`heads of ${headSize} values cannot be turned`);
  return { shape, ...readReals(metadata, architecture) };
}

function readReals(metadata: GgufMetadata, architecture: string): Omit<LlamaNumbers, "shape"> {
  const epsilonKey = `${architecture}.attention.layer_norm_rms_epsilon`;
  const epsilon = required(realNumber(metadata, epsilonKey), epsilonKey);
  const rotationBase = realNumber(metadata, `${architecture}.rope.freq_base`) ?? 10_000;
  if (!(epsilon >= 0 && epsilon < 1)) throw new RangeError(`${epsilonKey} is ${epsilon}`);
  if (!(rotationBase >= 1)) throw new RangeError(`${architecture}.rope.freq_base is ${rotationBase}`);
  const scaling = textValue(metadata, `${architecture}.rope.scaling.type`) ?? "none";
  if (scaling !== "none" && scaling !== "linear")
    throw new RangeError(`models with ${architecture}.rope.scaling.type ${scaling} cannot be converted`);
  const factor =
    scaling === "linear" ? realNumber(metadata, `${architecture}.rope.scaling.factor`) : undefined;
  // llama.cpp reads a factor of 0 as none.
  const rotationFactor = factor === undefined || factor === 0 ? 1 : factor;
  if (!(rotationFactor > 0)) throw new RangeError(`${architecture}.rope.scaling.factor is ${rotationFactor}`);
  return { epsilon, rotationBase, rotationFactor };
}

function sizeOf(metadata: GgufMetadata, key: string, largest: number, otherwise?: number): number {
  const size = required(wholeNumber(metadata, key) ?? otherwise, key);
  if (size < 1 || size > largest) throw new RangeError(`${key} is ${size}, not 1 to ${largest}`);
  return size;
}
