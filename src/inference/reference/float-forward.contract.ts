/* The forward pass of a Llama model in 64-bit floats on the weights as trained: what accuracy is measured against. */
import type { FloatLlama, FloatLlamaLayer } from "../convert/float-llama.ts";

type Rows = Float64Array[];

function multiply(weights: Float32Array, rows: number, x: Float64Array): Float64Array {
  const out = new Float64Array(rows);
  for (let n = 0; n < rows; n += 1) {
    let sum = 0;
    for (let k = 0; k < x.length; k += 1) sum += weights[n * x.length + k]! * x[k]!;
    out[n] = sum;
  }
  return out;
}

function norm(x: Float64Array, factors: Float32Array, epsilon: number): Float64Array {
  const mean = x.reduce((sum, value) => sum + value * value, 0) / x.length;
  return x.map((value, i) => (value / Math.sqrt(mean + epsilon)) * factors[i]!);
}

function plus(x: Float64Array, bias: Float32Array | undefined): Float64Array {
  return bias === undefined ? x : x.map((value, i) => value + bias[i]!);
}

function turn(source: FloatLlama, row: Float64Array, position: number): void {
  const { headSize, rotation } = source.shape;
  const half = headSize / 2;
  for (let start = 0; start < row.length; start += headSize)
    for (let pair = 0; pair < half; pair += 1) {
      const angle =
        (position * source.rotationBase ** ((-2 * pair) / headSize)) / (source.rotationFactors?.[pair] ?? 1);
      const [i, j] = rotation === "halves" ? [pair, pair + half] : [2 * pair, 2 * pair + 1];
      const a = row[start + i]!;
      const b = row[start + j]!;
      row[start + i] = a * Math.cos(angle) - b * Math.sin(angle);
      row[start + j] = a * Math.sin(angle) + b * Math.cos(angle);
    }
}

/** Attention of one position over those before it, in place of softmax's usual tricks the plain formula. */
function mix(source: FloatLlama, query: Float64Array, keys: Rows, values: Rows): Float64Array {
  const { heads, keyHeads, headSize } = source.shape;
  const out = new Float64Array(heads * headSize);
  for (let head = 0; head < heads; head += 1) {
    const shared = Math.floor((head * keyHeads) / heads) * headSize;
    const scores = keys.map((key) => {
      let sum = 0;
      for (let i = 0; i < headSize; i += 1) sum += query[head * headSize + i]! * key[shared + i]!;
      return sum / Math.sqrt(headSize);
    });
    const largest = Math.max(...scores);
    const powers = scores.map((score) => Math.exp(score - largest));
    const total = powers.reduce((sum, power) => sum + power, 0);
    for (const [at, power] of powers.entries())
      for (let i = 0; i < headSize; i += 1)
        out[head * headSize + i]! += (power / total) * values[at]![shared + i]!;
  }
  return out;
}

function add(x: Float64Array, y: Float64Array): void {
  for (let i = 0; i < x.length; i += 1) x[i]! += y[i]!;
}

function layerForward(source: FloatLlama, layer: FloatLlamaLayer, xs: Rows): void {
  const { width, inner, heads, keyHeads, headSize } = source.shape;
  const keys: Rows = [];
  const values: Rows = [];
  for (const [position, x] of xs.entries()) {
    const normed = norm(x, layer.attentionNorm, source.epsilon);
    const query = plus(multiply(layer.query, heads * headSize, normed), layer.queryBias);
    const key = plus(multiply(layer.key, keyHeads * headSize, normed), layer.keyBias);
    turn(source, query, position);
    turn(source, key, position);
    keys.push(key);
    values.push(plus(multiply(layer.value, keyHeads * headSize, normed), layer.valueBias));
    add(x, multiply(layer.output, width, mix(source, query, keys, values)));
  }
  for (const x of xs) {
    const normed = norm(x, layer.feedNorm, source.epsilon);
    const gate = multiply(layer.gate, inner, normed);
    const up = multiply(layer.up, inner, normed);
    const gated = gate.map((value, i) => (value / (1 + Math.exp(-value))) * up[i]!);
    add(x, multiply(layer.down, width, gated));
  }
}

/** Scores of all tokens after each position. */
export function floatLogits(source: FloatLlama, tokens: readonly number[]): Rows {
  const { width, vocabulary } = source.shape;
  const xs = tokens.map((token) =>
    Float64Array.from(source.embeddings.subarray(token * width, (token + 1) * width)),
  );
  for (const layer of source.layers) layerForward(source, layer, xs);
  return xs.map((x) =>
    multiply(source.head ?? source.embeddings, vocabulary, norm(x, source.finalNorm, source.epsilon)),
  );
}
