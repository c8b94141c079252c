import { createHash } from "node:crypto";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { quantiseEncoder } from "../convert/float-encoder.ts";
import { ODD_ENCODER, randomEncoder } from "../reference/float-encoder.contract.ts";
import { referenceEncoderBackend } from "../reference/reference-encoder.ts";
import type { ModelText } from "../tokenizer/model-text.ts";
import { tokenizerJson } from "../tokenizer/model-text.ts";
import { ModelTokenizer } from "../tokenizer/model-tokenizer.ts";
import { PIPELINES } from "../tokenizer/pipelines.ts";
import { type Embedding, Embedder } from "./embedder.ts";
import { textFuel } from "./fuel.ts";

/** Letters a to p are tokens 7 to 22, a space is token 6. */
const LETTERS: readonly string[] = Array.from("abcdefghijklmnop");
const TEXT: ModelText = {
  endTokens: [],
  tokenizer: tokenizerJson({
    added_tokens: [],
    ...PIPELINES.unigram,
    model: {
      type: "Unigram",
      unk_id: 0,
      vocab: ["<unk>", "1", "2", "3", "4", "5", "\u2581", ...LETTERS].map((piece) => [piece, -1] as const),
    },
  }),
};
const model = quantiseEncoder(randomEncoder(ODD_ENCODER, 7), 8);
const SHA256 = new Uint8Array(32).fill(5);
let embedder: Embedder;
beforeAll(async () => {
  const encoder = await referenceEncoderBackend.openEncoder(model);
  embedder = new Embedder(encoder, new ModelTokenizer(TEXT), SHA256);
});

async function embed(texts: readonly string[], signal?: AbortSignal): Promise<Embedding[]> {
  return Array.fromAsync(embedder.embed(texts, signal));
}

function u32le(...values: number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  for (const [i, value] of values.entries()) bytes.writeUInt32LE(value, 4 * i);
  return bytes;
}

describe("texts of a task", () => {
  it("become vectors, each by itself, whatever stands beside it", async () => {
    const text = fc.string({ unit: fc.constantFrom(...LETTERS, " ", "?"), minLength: 1, maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(fc.array(text, { maxLength: 60 }), async (texts) => {
        const together = await embed(texts);
        expect(together.length).toBe(texts.length);
        for (const [i, each] of together.entries()) {
          const [alone] = await embed([texts[i]!]);
          expect(each.vector).toEqual(alone!.vector);
          expect(each.tokens).toEqual(alone!.tokens);
          expect(each.fuel).toBe(alone!.fuel);
        }
      }),
      { numRuns: 20 },
    );
  });

  it("longer than the context are cut there, and say so", async () => {
    const [whole, cut] = await embed(["abcdefgh", "abcdefghijkl"]);
    expect(whole).toMatchObject({ isCut: false, tokens: [6, 7, 8, 9, 10, 11, 12, 13, 14] });
    expect(cut).toMatchObject({ isCut: true, tokens: whole!.tokens, vector: whole!.vector });
  });

  it("without tokens are refused by their place", async () => {
    await expect(embed(["a", "b", ""])).rejects.toThrow("text 2 has no tokens");
  });

  it("are left when the signal says so, with the vectors until then", async () => {
    const stop = new AbortController();
    const texts = Array.from({ length: 100 }, () => "abcdefgh");
    const found: Embedding[] = [];
    const running = (async () => {
      for await (const each of embedder.embed(texts, stop.signal)) {
        found.push(each);
        stop.abort(new Error("enough"));
      }
    })();
    await expect(running).rejects.toThrow("enough");
    expect(found.length).toBeGreaterThan(0);
    expect(found.length).toBeLessThan(100);
  });
});

function hash(...parts: readonly Uint8Array[]): Buffer {
  return createHash("sha256").update(Buffer.concat(parts)).digest();
}

function bytesOf({ vector }: Embedding): Uint8Array {
  return new Uint8Array(vector.buffer);
}

async function lastLink(...texts: readonly string[]): Promise<string> {
  const [last] = (await embed(texts)).slice(-1);
  return Buffer.from(last!.link).toString("hex");
}

describe("the hash of a text", () => {
  it("is that of docs/numerics.md", async () => {
    const [first, second] = await embed(["ab", "p"]);
    const begin = hash(Buffer.from("tabmesh embeddings 1\n"), SHA256);
    const one = hash(begin, u32le(3, 6, 7, 8), bytesOf(first!));
    expect(Buffer.from(first!.link)).toEqual(one);
    expect(Buffer.from(second!.link)).toEqual(hash(one, u32le(2, 6, 22), bytesOf(second!)));
  });

  it("is another for other texts before, in another order too", async () => {
    const all = await Promise.all([
      lastLink("a", "b", "c"),
      lastLink("b", "a", "c"),
      lastLink("b", "c"),
      lastLink("c"),
    ]);
    expect(new Set(all).size).toBe(4);
  });
});

describe("the fuel of a text", () => {
  it("is the number of multiply-adds that its matrices and its attention take", () => {
    const shape = { ...ODD_ENCODER, layers: [ODD_ENCODER.layers[0]!] };
    // Queries, keys, values; output; bridge; up and down; at each of 5 positions.
    const matrices = 5 * (3 * 20 * 18 + 18 * 44 + 20 * 44 + 44 * 70 + 70 * 44);
    // 3 heads of 6 values, 25 pairs of positions, twice.
    expect(textFuel(shape, 5)).toBe(BigInt(matrices + 2 * 3 * 6 * 25 + 37 * 44));
    const second = 7 * (3 * 44 * 33 + 33 * 44 + 2 * 44 * 31) + 2 * 33 * 49;
    expect(textFuel(ODD_ENCODER, 7) - textFuel(shape, 7)).toBe(BigInt(second));
  });
});
