import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { quantiseEncoder } from "../convert/float-encoder.ts";
import { describeEncoderBits } from "../encoder.contract.ts";
import { SENTENCES, SENTENCES_HASH, useLite } from "../reference/use-lite.contract.ts";
import { ModelTokenizer } from "../tokenizer/model-tokenizer.ts";
import { createWasmEncoderBackend } from "./wasm-encoder.ts";

const BUILDS = ["baseline", "relaxed"] as const;

for (const build of BUILDS) describeEncoderBits(`WebAssembly, ${build}`, createWasmEncoderBackend({ build }));

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
