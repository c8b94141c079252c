/* How far the integers are from the model in 64-bit floats: the numbers of docs/numerics.md. */
import { quantiseLlama } from "../convert/float-llama.ts";
import type { FloatLlama } from "../convert/float-llama.ts";
import type { LlamaModel } from "../model/llama-model.ts";
import { floatLogits } from "./float-forward.contract.ts";
import { ReferenceLlama } from "./llama.ts";

/** Means over all positions. */
export interface Accuracy {
  readonly positions: number;
  /** Of what follows in the texts: as the floats have it, and as the integers do. */
  readonly floatPerplexity: number;
  readonly perplexity: number;
  /** Kullback-Leibler divergence of the integers' odds from the floats', in nats. */
  readonly divergence: number;
  /** Share of positions at which both find the same token likeliest. */
  readonly agreement: number;
  /** Least cosine between the two's scores of a position. */
  readonly cosine: number;
}

function probabilities(logits: Float64Array): number[] {
  const largest = Math.max(...logits);
  const powers = Array.from(logits, (value) => Math.exp(value - largest));
  const total = powers.reduce((sum, power) => sum + power, 0);
  return powers.map((power) => power / total);
}

function asFloats(logits: Int32Array): Float64Array {
  return Float64Array.from(logits, (value) => value / 2 ** 14);
}

function cosineOf(a: Float64Array, b: Float64Array): number {
  let product = 0;
  let left = 0;
  let right = 0;
  for (const [i, value] of a.entries()) {
    product += value * b[i]!;
    left += value * value;
    right += b[i]! * b[i]!;
  }
  return product / Math.sqrt(left * right);
}

function largestAt(values: Float64Array): number {
  return values.indexOf(values.reduce((most, value) => Math.max(most, value)));
}

/** Tokens drawn from what a model finds likely. */
export function sampledText(model: LlamaModel, begin: number, length: number, seed: number): number[] {
  let state = seed;
  const random = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  const reference = new ReferenceLlama(model);
  const tokens = [begin];
  while (tokens.length < length) {
    let left = random();
    const odds = probabilities(asFloats(reference.logits(reference.step(tokens.at(-1) ?? 0))));
    tokens.push(
      Math.max(
        0,
        odds.findIndex((p) => (left -= p) < 0),
      ),
    );
  }
  return tokens;
}

/** @param bits of a weight @param texts tokens, of which each but the first is predicted */
export function measureAccuracy(
  source: FloatLlama,
  bits: 4 | 8,
  texts: readonly (readonly number[])[],
): Accuracy {
  const model = quantiseLlama(source, bits);
  const sums = { count: 0, floats: 0, integers: 0, divergence: 0, agreed: 0 };
  let cosine = 1;
  for (const tokens of texts) {
    const reference = new ReferenceLlama(model);
    for (const [at, logits] of floatLogits(source, tokens.slice(0, -1)).entries()) {
      const own = asFloats(reference.logits(reference.step(tokens[at]!)));
      const expected = probabilities(logits);
      const found = probabilities(own);
      for (const [i, p] of expected.entries()) if (p > 0) sums.divergence += p * Math.log(p / found[i]!);
      sums.integers -= Math.log(found[tokens[at + 1]!]!);
      sums.floats -= Math.log(expected[tokens[at + 1]!]!);
      sums.agreed += largestAt(logits) === largestAt(own) ? 1 : 0;
      sums.count += 1;
      cosine = Math.min(cosine, cosineOf(logits, own));
    }
  }
  const { count } = sums;
  return {
    positions: count,
    floatPerplexity: Math.exp(sums.floats / count),
    perplexity: Math.exp(sums.integers / count),
    divergence: sums.divergence / count,
    agreement: sums.agreed / count,
    cosine,
  };
}
