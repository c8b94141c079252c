/* The sentence encoder in 64-bit floats, and encoders with random weights of any shape. */
import type {
  FloatAffine,
  FloatEncoder,
  FloatEncoderLayer,
  FloatLayerNorm,
} from "../convert/float-encoder.ts";
import type { EncoderLayerShape, EncoderShape } from "../model/encoder-model.ts";

type Row = number[];

function affine({ weights, bias }: FloatAffine, x: Row): Row {
  return Array.from(bias, (added, n) =>
    x.reduce((sum, value, k) => sum + value * weights[n * x.length + k]!, added),
  );
}

export function floatLayerNorm({ factors, offsets }: FloatLayerNorm, epsilon: number, x: Row): Row {
  const mean = x.reduce((sum, value) => sum + value, 0) / x.length;
  const variance = x.reduce((sum, value) => sum + (value - mean) ** 2, 0) / x.length;
  return x.map((value, i) => ((value - mean) / Math.sqrt(variance + epsilon)) * factors[i]! + offsets[i]!);
}

function attention(
  source: FloatEncoder,
  layer: FloatEncoderLayer,
  { heads, headSize }: EncoderLayerShape,
  rows: Row[],
): Row[] {
  const normed = rows.map((x) => floatLayerNorm(layer.attentionNorm, source.epsilon, x));
  const [queries, keys, values] = [layer.query, layer.key, layer.value].map((part) =>
    normed.map((x) => affine(part, x)),
  );
  return rows.map((x, at) => {
    const mixed: Row = [];
    for (let head = 0; head < heads; head += 1) {
      const places = Array.from({ length: headSize }, (_, i) => head * headSize + i);
      const powers = keys!.map((key) =>
        Math.exp(places.reduce((sum, i) => sum + queries![at]![i]! * key[i]!, 0) * layer.queryFactor),
      );
      const total = powers.reduce((sum, power) => sum + power, 0);
      for (const i of places)
        mixed.push(values!.reduce((sum, value, j) => sum + (powers[j]! / total) * value[i]!, 0));
    }
    const out = affine(layer.output, mixed);
    const stream = layer.bridge === undefined ? x : affine(layer.bridge, x);
    return stream.map((value, i) => value + out[i]!);
  });
}

export function floatEncode(source: FloatEncoder, tokens: readonly number[]): Row {
  const { width, layers } = source.shape;
  let rows = tokens.map((token, at) =>
    Array.from(
      { length: width },
      (_, i) => source.embeddings[token * width + i]! + source.positions[at * width + i]!,
    ),
  );
  for (const [index, layer] of source.layers.entries()) {
    rows = attention(source, layer, layers[index]!, rows).map((x) => {
      const inner = affine(layer.up, floatLayerNorm(layer.feedNorm, source.epsilon, x)).map((value) =>
        Math.max(0, value),
      );
      const out = affine(layer.down, inner);
      return x.map((value, i) => value + out[i]!);
    });
  }
  const mean = rows[0]!.map((_, i) => rows.reduce((sum, x) => sum + x[i]!, 0) / rows.length);
  const pooled = affine(source.pool, mean).map((value) => Math.tanh(value));
  const length = Math.hypot(...pooled);
  return pooled.map((value) => value / length);
}

export const ODD_ENCODER: EncoderShape = {
  vocabulary: 23,
  context: 9,
  width: 20,
  layers: [
    { input: 20, width: 44, heads: 3, headSize: 6, inner: 70 },
    { input: 44, width: 44, heads: 1, headSize: 33, inner: 31 },
  ],
  output: 37,
};

export function randomEncoder(shape: EncoderShape, seed: number): FloatEncoder {
  let state = seed;
  const uniform = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state >>> 8) / 2 ** 23 - 1;
  };
  const vector = (length: number, size: number, middle = 0): Float32Array =>
    Float32Array.from({ length }, () => middle + size * uniform());
  const part = (rows: number, columns: number): FloatAffine => ({
    weights: vector(rows * columns, 1.7 / Math.sqrt(columns)),
    bias: vector(rows, 0.4),
  });
  const norm = (width: number): FloatLayerNorm => ({
    factors: vector(width, 0.4, 1),
    offsets: vector(width, 0.5),
  });
  return {
    shape,
    epsilon: 1e-6,
    embeddings: vector(shape.vocabulary * shape.width, 1.5),
    positions: vector(shape.context * shape.width, 1),
    layers: shape.layers.map(({ input, width, heads, headSize, inner }) => ({
      attentionNorm: norm(input),
      query: part(heads * headSize, input),
      key: part(heads * headSize, input),
      value: part(heads * headSize, input),
      queryFactor: 1 / Math.sqrt(headSize),
      output: part(width, heads * headSize),
      ...(input === width ? {} : { bridge: part(width, input) }),
      feedNorm: norm(width),
      up: part(inner, width),
      down: part(width, inner),
    })),
    pool: part(shape.output, shape.layers.at(-1)?.width ?? shape.width),
  };
}
