import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { randomLlama, SMALL_SHAPE } from "../model/random-llama.contract.ts";
import { memorySource } from "./byte-source.ts";
import { llamaGguf } from "./gguf/llama-gguf.contract.ts";
import { quantiseEncoder } from "./float-encoder.ts";
import { llamaFromGguf } from "./gguf/llama-gguf.ts";
import { openGguf } from "./gguf/open-gguf.ts";
import { Q8_0 } from "./gguf/tensor-type.ts";
import { textFromGguf } from "./gguf/text-gguf.ts";
import { f32s, i32s, text, texts, writeGguf } from "./gguf/write-gguf.contract.ts";
import { quantiseSource } from "./llama-source.ts";
import { readLlama2c } from "./llama2c.ts";
import { readLlama2cText } from "./llama2c-text.ts";
import { useLiteFiles } from "../reference/use-lite.contract.ts";
import { writeModel } from "../model/model-file.ts";
import { parseModelText } from "../tokenizer/parse-model-text.ts";
import { manifestPaths, readManifest } from "./tfjs-weights.ts";
import { readUseLite, type UseLiteFiles } from "./use-lite.ts";
import { tries } from "../../protocol/tries.contract.ts";

const SHAPE = {
  ...SMALL_SHAPE,
  width: 32,
  heads: 2,
  keyHeads: 1,
  headSize: 16,
  layers: 1,
  vocabulary: 9,
  context: 8,
};
const FILE = writeGguf(llamaGguf(randomLlama(SHAPE, 1), Q8_0));
const HEADER = FILE.length - 32 * 34 * 5;

/** Numbers that break parsers, over whatever stands there; mostly in the header. */
const damage = (length: number): fc.Arbitrary<(file: Uint8Array) => Uint8Array> =>
  fc
    .record({
      cut: fc.option(fc.integer({ min: 0, max: length }), { freq: 4, nil: length }),
      patches: fc.array(
        fc.record({
          at: fc.integer({ min: 0, max: length - 8 }),
          value: fc.oneof(
            fc.constantFrom(0n, 1n, 0xffn, 0x7fff_ffffn, 0xffff_ffffn, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n),
            fc.bigInt({ min: 0n, max: 2n ** 16n }),
            fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
          ),
          bytes: fc.constantFrom(1, 4, 8),
        }),
        { maxLength: 3 },
      ),
    })
    .map(({ cut, patches }) => (file) => {
      const copy = file.slice();
      for (const { at, value, bytes } of patches)
        for (let i = 0; i < bytes; i += 1) copy[at + i] = Number((value >> BigInt(8 * i)) & 0xffn);
      return copy.subarray(0, cut);
    });

async function convert(bytes: Uint8Array): Promise<string> {
  try {
    const source = await llamaFromGguf(await openGguf(memorySource(bytes)));
    await quantiseSource(source, 8);
    return "converted";
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    // What an engine says of arrays that are too large, or views out of bounds.
    expect(error.message).not.toMatch(/invalid|out of|outside|offset/i);
    return error.message;
  }
}

describe("damaged files end in a RangeError of our own words, or in a model", () => {
  it("the fixture itself is whole", async () => {
    expect(await convert(FILE)).toBe("converted");
  });

  it("GGUFs with broken headers", { timeout: 60_000 }, async () => {
    const endings = new Set<string>();
    await fc.assert(
      fc.asyncProperty(damage(HEADER), async (apply) => {
        endings.add((await convert(apply(FILE))).replaceAll(/\d+/g, "0").slice(0, 40));
      }),
      { numRuns: tries(3000) },
    );
    expect(endings.size).toBeGreaterThan(10);
  });

  it("GGUFs with broken values", async () => {
    await fc.assert(
      fc.asyncProperty(damage(FILE.length), async (apply) => {
        await convert(apply(FILE));
      }),
      { numRuns: tries(200) },
    );
  });

  it("GGUFs cut anywhere", async () => {
    for (let length = 0; length < FILE.length; length += length < HEADER ? 7 : 997)
      expect(await convert(FILE.subarray(0, length))).not.toBe("converted");
  });

  it("tokenizers", () => {
    const pieces = ["<unk>", "<s>", "</s>", "a", "b", "ab", "▁a"];
    const file = new Uint8Array(
      4 + pieces.reduce((sum, piece) => sum + 8 + new TextEncoder().encode(piece).length, 0),
    );
    let at = 4;
    for (const piece of pieces) {
      const { written } = new TextEncoder().encodeInto(piece, file.subarray(at + 8));
      new DataView(file.buffer).setInt32(at + 4, written, true);
      at += 8 + written;
    }
    expect(readLlama2cText(file, pieces.length).tokenizer.model).toMatchObject({ merges: [["a", "b"]] });
    fc.assert(
      fc.property(damage(file.length), (apply) => {
        try {
          readLlama2cText(apply(file), pieces.length);
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
          expect(String(error)).toMatch(/token/);
        }
      }),
      { numRuns: tries(1000) },
    );
  });

  it("tokenizers in GGUFs", async () => {
    const file = writeGguf({
      metadata: {
        "tokenizer.ggml.model": text("llama"),
        "tokenizer.ggml.tokens": texts(["<unk>", "<s>", "</s>", "a", "b", "ab", "▁a"]),
        "tokenizer.ggml.scores": f32s([0, 0, 0, -1, -2, -3, -4]),
        "tokenizer.ggml.token_type": i32s([2, 3, 3, 1, 1, 1, 1]),
      },
      tensors: [],
    });
    await fc.assert(
      fc.asyncProperty(damage(file.length), async (apply) => {
        try {
          const { metadata } = await openGguf(memorySource(apply(file)));
          textFromGguf(metadata, 7);
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
        }
      }),
      { numRuns: tries(1000) },
    );
  });

  it("llama2.c checkpoints", () => {
    const sizes = [8, 12, 1, 2, 1, 5, 4];
    const file = new Uint8Array(28 + 4 * 2000);
    for (const [i, size] of sizes.entries()) new DataView(file.buffer).setInt32(4 * i, size, true);
    expect(readLlama2c(file).shape.width).toBe(8);
    fc.assert(
      fc.property(damage(28), fc.integer({ min: 0, max: file.length }), (apply, length) => {
        try {
          readLlama2c(apply(file.slice(0, 28)));
          readLlama2c(file.subarray(0, length));
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
          expect(String(error)).toMatch(/checkpoint|heads/);
        }
      }),
      { numRuns: tries(2000) },
    );
  });

  it("manifests of TensorFlow.js", () => {
    const json = JSON.stringify({
      weightsManifest: [
        {
          paths: ["a.bin", "b"],
          weights: [
            { name: "x", shape: [2, 1], dtype: "float32" },
            { name: "y", shape: [], dtype: "int32" },
          ],
        },
      ],
    });
    const bytes = new TextEncoder().encode(json);
    const shards = new Map([
      ["a.bin", new Uint8Array(8)],
      ["b", new Uint8Array(4)],
    ]);
    fc.assert(
      fc.property(damage(bytes.length), (apply) => {
        const damaged = new TextDecoder().decode(apply(bytes));
        try {
          for (const path of manifestPaths(damaged)) expect(path).not.toMatch(/[/\\]|^\./u);
          const weights = readManifest(damaged, shards);
          expect(weights.matrix("x", 1).length).toBe(2);
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
          expect(String(error)).toMatch(/model\.json|manifest|shard|weight/);
        }
      }),
      { numRuns: tries(3000) },
    );
  });
});

/** Weights of one number that decide sizes, and some that are long. */
const DECISIVE =
  /ClipToMaxLength\/Less\/y|Reshape\/shape\/3|mul\/y|bias|layer_norm|dense\/kernel|Embeddings_en$/u;

function convertPackage(damaged: UseLiteFiles): string {
  try {
    const { encoder, text: described } = readUseLite(damaged);
    const words = JSON.stringify(described);
    parseModelText(words, encoder.shape.vocabulary);
    const about = { name: "", licence: "", sourceSha256: new Uint8Array(32), text: words };
    writeModel(quantiseEncoder(encoder, 8), about);
    return "converted";
  } catch (error) {
    if (!(error instanceof RangeError || String(error).includes("malformed"))) throw error;
    expect(String(error)).not.toMatch(/typed array|array length|buffer|offset/i);
    return String(error);
  }
}

describe("damaged packages of the sentence encoder end in a RangeError of our own words, or in a model", () => {
  const files = useLiteFiles();
  interface Entry {
    name: string;
    shape: number[];
  }
  const manifest = JSON.parse(files.model) as { weightsManifest: { weights: Entry[] }[] };
  const entries = manifest.weightsManifest.flatMap(({ weights }) => weights);
  const placeOf = (found: Entry): number =>
    entries
      .slice(0, entries.indexOf(found))
      .reduce((sum, { shape }) => sum + 4 * shape.reduce((product, each) => product * each, 1), 0);

  it("with numbers that decide sizes set to others", { timeout: 60_000 }, () => {
    expect(convertPackage(files)).toBe("converted");
    const shardBytes = files.shards.get("group1-shard1of7")!.length;
    const number = fc.constantFrom(
      0,
      1,
      2,
      3,
      0x7fff_ffff,
      0x8000_0000,
      0xffff_ffff,
      0x7fc0_0000,
      0x7f80_0000,
    );
    const chosen = fc.constantFrom(...entries.filter(({ name }) => DECISIVE.test(name)));
    fc.assert(
      fc.property(chosen, number, (entry, value) => {
        const at = placeOf(entry);
        const name = `group1-shard${Math.floor(at / shardBytes) + 1}of7`;
        const shard = new Uint8Array(files.shards.get(name)!);
        new DataView(shard.buffer).setUint32(at % shardBytes, value, true);
        convertPackage({ ...files, shards: new Map([...files.shards, [name, shard]]) });
      }),
      { numRuns: tries(8) },
    );
  });

  it("with shapes changed", { timeout: 60_000 }, () => {
    const change = fc.constantFrom<(shape: number[]) => number[]>(
      (shape) => shape.toReversed(),
      (shape) => [...shape, 1],
      (shape) => [1, ...shape],
      (shape) => [shape.reduce((product, each) => product * each, 1)],
      (shape) => shape.map(() => 0),
    );
    const chosen = fc.constantFrom(...entries.filter(({ name }) => DECISIVE.test(name)));
    fc.assert(
      fc.property(chosen, change, (entry, apply) => {
        const before = entry.shape;
        entry.shape = apply(before);
        const model = JSON.stringify(manifest);
        entry.shape = before;
        convertPackage({ ...files, model });
      }),
      { numRuns: tries(8) },
    );
  });

  it("with a vocabulary that is another", { timeout: 60_000 }, () => {
    const list = JSON.parse(files.vocabulary) as unknown[];
    for (const [vocabulary, expected] of [
      [[], "malformed"],
      [list.slice(0, 10), "converted"],
      [[...list.slice(0, 7), ["a".repeat(100), 0]], "malformed"],
      [[...list.slice(0, 7), ["a", "b"]], "RangeError"],
      [[...list, ...list], "RangeError"],
    ] as const)
      expect(convertPackage({ ...files, vocabulary: JSON.stringify(vocabulary) })).toContain(expected);
  });
});
