import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { quantiseLlama } from "../convert/float-llama.ts";
import type { LlamaModel } from "../model/llama-model.ts";
import { floatLogits } from "./float-forward.contract.ts";
import { ReferenceLlama } from "./llama.ts";
import { HAS_STORIES, NO_STORIES, storiesModel, storiesVocabulary } from "./stories.contract.ts";

/** What the checkpoint's makers print for it, greedily. */
const STORY = ` Once upon a time, there was a little girl named Lily. She loved to play outside in the park. One day, she saw a big, red ball. She wanted to play with it, but it was too high.
Lily's mom said, "Lily, let's go to the park." Lily was sad and didn't know what to do. She said, "I want to play with your ball, but I can't find it."`;

const BEGIN = 1;

function largestAt(values: Int32Array): number {
  let best = 0;
  for (const [at, value] of values.entries()) if (value > values[best]!) best = at;
  return best;
}

function probabilities(logits: Float64Array): number[] {
  const largest = Math.max(...logits);
  const powers = Array.from(logits, (value) => Math.exp(value - largest));
  const total = powers.reduce((sum, power) => sum + power, 0);
  return powers.map((power) => power / total);
}

if (!HAS_STORIES) process.stdout.write(`${NO_STORIES}\n`);

describe.skipIf(!HAS_STORIES)("the integer forward pass of a real model", () => {
  it("writes the story that its makers document, and always the same bits", () => {
    const model = quantiseLlama(storiesModel(), 8);
    const reference = new ReferenceLlama(model);
    const hash = createHash("sha256");
    const vocabulary = storiesVocabulary();
    let token = BEGIN;
    let text = "";
    while (text.length < STORY.length) {
      const x = reference.step(token);
      const logits = reference.logits(x);
      hash.update(new Uint8Array(x.buffer)).update(new Uint8Array(logits.buffer));
      token = largestAt(logits);
      text += vocabulary[token]!;
    }
    expect(text.slice(0, STORY.length)).toBe(STORY);
    expect(hash.digest("hex")).toBe("5b1b93461ce5a9989d6c76ecf742a4b2575da2e48775407f8d3b3b9dcf847819");
  });

  it("stays close to the model in floats: KL per token at most 6e-4, perplexity within 0.2 %", () => {
    const source = storiesModel();
    const model = quantiseLlama(source, 8);
    let divergence = 0;
    let surprise = 0;
    let floatSurprise = 0;
    let count = 0;
    for (const seed of Array.from({ length: 12 }, (_, i) => i + 1)) {
      const tokens = sampled(model, seed);
      const reference = new ReferenceLlama(model);
      for (const [at, logits] of floatLogits(source, tokens.slice(0, -1)).entries()) {
        const expected = probabilities(logits);
        const odds = found(reference.logits(reference.step(tokens[at]!)));
        for (const [i, p] of expected.entries()) if (p > 0) divergence += p * Math.log(p / odds[i]!);
        surprise -= Math.log(odds[tokens[at + 1]!]!);
        floatSurprise -= Math.log(expected[tokens[at + 1]!]!);
        count += 1;
      }
    }
    expect(divergence / count).toBeLessThan(6e-4);
    expect(Math.abs(Math.exp((surprise - floatSurprise) / count) - 1)).toBeLessThan(0.002);
  });
});

/** 96 tokens drawn from what the integer model finds likely. */
function sampled(model: LlamaModel, seed: number): number[] {
  let state = seed;
  const random = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  const reference = new ReferenceLlama(model);
  const tokens = [BEGIN];
  while (tokens.length < 96) {
    let left = random();
    const odds = found(reference.logits(reference.step(tokens.at(-1) ?? 0)));
    const drawn = odds.findIndex((p) => (left -= p) < 0);
    tokens.push(Math.max(0, drawn));
  }
  return tokens;
}

function found(logits: Int32Array): number[] {
  return probabilities(Float64Array.from(logits, (value) => value / 2 ** 14));
}
