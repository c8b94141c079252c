import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { quantiseEncoder } from "../convert/float-encoder.ts";
import { describeEncoderBits } from "../encoder.contract.ts";
import { randomEncoder } from "../reference/float-encoder.contract.ts";
import { referenceEncoderBackend } from "../reference/reference-encoder.ts";
import { SENTENCES, SENTENCES_HASH, useLite } from "../reference/use-lite.contract.ts";
import { ModelTokenizer } from "../tokenizer/model-tokenizer.ts";
import { createWasmEncoderBackend } from "./wasm-encoder.ts";

const BUILDS = ["baseline", "relaxed"] as const;

for (const build of BUILDS) describeEncoderBits(`WebAssembly, ${build}`, createWasmEncoderBackend({ build }));

const size = (max: number): fc.Arbitrary<number> => fc.integer({ min: 1, max });
const anyShape = fc
  .record({
    context: size(40),
    widths: fc.array(size(70), { minLength: 2, maxLength: 4 }),
    heads: size(4),
    headSize: size(40),
    inner: size(90),
    output: size(40),
  })
  .map(({ context, widths, heads, headSize, inner, output }) => ({
    vocabulary: 13,
    context,
    width: widths[0]!,
    output,
    layers: widths.slice(1).map((width, i) => ({ input: widths[i]!, width, heads, headSize, inner })),
  }));
const anyTexts = fc.array(fc.array(fc.nat({ max: 12 }), { minLength: 1, maxLength: 45 }), { maxLength: 25 });

it.each(BUILDS)("encoders of any shape have the reference's bits: %s", async (build) => {
  const anyEncoder = fc.tuple(anyShape, fc.nat(), fc.constantFrom<4 | 8>(4, 8), anyTexts);
  await fc.assert(
    fc.asyncProperty(anyEncoder, async ([shape, seed, bits, texts]) => {
      const model = quantiseEncoder(randomEncoder(shape, seed), bits);
      const reference = await referenceEncoderBackend.openEncoder(model);
      const encoder = await createWasmEncoderBackend({ build }).openEncoder(model);
      expect(await encoder.encode(texts)).toEqual(await reference.encode(texts));
    }),
    { numRuns: 25 },
  );
});

describe.each(BUILDS)("the Universal Sentence Encoder on WebAssembly, %s", (build) => {
  it("has the reference's bits, whatever stands beside a sentence", async () => {
    const { encoder: source, text } = useLite();
    const model = quantiseEncoder(source, 8);
    const tokenizer = new ModelTokenizer(text);
    const encoder = await createWasmEncoderBackend({ build }).openEncoder(model);
    const texts = SENTENCES.map((sentence) => tokenizer.encode(sentence));
    const vectors = await encoder.encode(texts);
    const hash = createHash("sha256");
    for (const vector of vectors) hash.update(vector);
    expect(hash.digest("hex")).toBe(SENTENCES_HASH);
    for (const [i, tokens] of texts.entries()) expect(await encoder.encode([tokens])).toEqual([vectors[i]]);
    const long = texts.flat().slice(0, 128);
    const [first, , last] = await encoder.encode([long, [77], [...long, 5, 6]]);
    expect(last).toEqual(first);
  });
});
