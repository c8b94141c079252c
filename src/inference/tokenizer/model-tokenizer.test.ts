import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readLlama2cText } from "../convert/llama2c-text.ts";
import { textFromGguf } from "../convert/gguf/text-gguf.ts";
import { memorySource } from "../convert/byte-source.ts";
import { openGguf } from "../convert/gguf/open-gguf.ts";
import {
  f32s,
  i32s,
  text,
  texts,
  truthValue,
  u32,
  type WrittenValue,
  writeGguf,
} from "../convert/gguf/write-gguf.contract.ts";
import { HAS_STORIES, storiesTokens } from "../reference/stories.contract.ts";
import { letterOf } from "./byte-letters.ts";
import type { ModelText } from "./model-text.ts";
import { ModelTokenizer } from "./model-tokenizer.ts";
import { parseModelText } from "./parse-model-text.ts";

const anyText = fc.oneof(
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.string({ unit: fc.constantFrom(...Array.from(" aetho\n\t'12é漢\u{1f600}▁")), maxLength: 40 }),
);

describe.skipIf(!HAS_STORIES)("the stories model's tokenizer", () => {
  const description = HAS_STORIES ? readLlama2cText(storiesTokens(), 512) : undefined;
  const stories = (): ModelTokenizer => new ModelTokenizer(description!);

  it("gives llama2.c's tokens, and the text back", () => {
    expect(stories().encode("Once upon a time")).toEqual([1, 403, 407, 261, 378]);
    expect(stories().encode("Once upon a time", { begin: false })).toEqual([403, 407, 261, 378]);
    expect(stories().decode([1, 403, 407, 261, 378])).toBe("Once upon a time");
    expect(stories().endTokens).toEqual([1, 2]);
  });

  it("joins pairs by score, the first of equal ones, as llama2.c does", () => {
    const tokenizer = stories();
    const pieces = piecesByScore(storiesTokens());
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom(...Array.from("tehanois .,LOd")), minLength: 1, maxLength: 60 }),
        (written) => {
          expect(tokenizer.encode(written, { begin: false })).toEqual(joined(pieces, ` ${written}`));
        },
      ),
      { numRuns: 300 },
    );
  });

  it("keeps the space where text goes on", () => {
    expect(stories().decode([378, 261], { continues: true })).toBe(" time a");
  });

  it("spells characters without a token in bytes, and any text comes back", () => {
    const tokenizer = stories();
    expect(tokenizer.encode("漢", { begin: false }).slice(-3)).toEqual([0xe6 + 3, 0xbc + 3, 0xa2 + 3]);
    fc.assert(
      fc.property(anyText, (written) => {
        // The sign for spaces cannot be told from a space.
        expect(tokenizer.decode(tokenizer.encode(written))).toBe(written.toWellFormed().replaceAll("▁", " "));
      }),
    );
  });

  it("never gives half a character when tokens come one by one", () => {
    const tokenizer = stories();
    const tokens = tokenizer.encode("a\u{1f600}é");
    const decoder = tokenizer.decoder();
    const parts = tokens.map((token) => decoder.push(token));
    expect(parts.join("") + decoder.end()).toBe("a\u{1f600}é");
    expect(parts.filter((part) => part !== "")).toEqual(["a", "\u{1f600}", "é"]);
    const cut = tokenizer.decoder({ continues: true });
    expect(cut.push(0xf0 + 3)).toBe("");
    expect(cut.end()).toBe("\u{fffd}");
  });

  it("is a file's JSON and back", () => {
    expect(parseModelText(JSON.stringify(description), 512)).toEqual(description);
  });

  it.each<[string, (file: Uint8Array) => Uint8Array, number, string]>([
    ["with other tokens than the model", (file) => file, 511, "the tokenizer has 512 tokens, the model 511"],
    ["cut in a token", (file) => file.subarray(0, -1), 512, "token 511 of a llama2.c tokenizer at byte"],
    ["cut in a score", (file) => file.subarray(0, file.length - 10), 512, "ends within token 511"],
    [
      "with a token of a gigabyte",
      patchLength,
      512,
      "token 0 of a llama2.c tokenizer at byte 4 has 1073741824 bytes",
    ],
  ])("refuses a file %s", (_name, change, count, message) => {
    expect(() => readLlama2cText(change(Uint8Array.from(storiesTokens())), count)).toThrow(message);
  });
});

/** Id and score by text. */
function piecesByScore(bytes: Uint8Array): ReadonlyMap<string, readonly [id: number, score: number]> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const pieces = new Map<string, readonly [number, number]>();
  for (let at = 4; at < bytes.length;) {
    const length = view.getInt32(at + 4, true);
    const piece = new TextDecoder().decode(bytes.subarray(at + 8, at + 8 + length));
    pieces.set(piece, [pieces.size, view.getFloat32(at, true)]);
    at += 8 + length;
  }
  return pieces;
}

/** The plain algorithm: again and again the pair that makes the token of the highest score. */
function joined(pieces: ReturnType<typeof piecesByScore>, written: string): number[] {
  const parts = Array.from(written);
  for (;;) {
    let best = -1;
    let highest = -Infinity;
    for (let i = 0; i + 1 < parts.length; i += 1) {
      const [, score] = pieces.get(parts[i]! + parts[i + 1]!) ?? [0, -Infinity];
      if (score > highest) [best, highest] = [i, score];
    }
    if (best < 0) return parts.map((part) => pieces.get(part)![0]);
    parts.splice(best, 2, parts[best]! + parts[best + 1]!);
  }
}

function patchLength(file: Uint8Array): Uint8Array {
  new DataView(file.buffer).setInt32(8, 1 << 30, true);
  return file;
}

/** Byte letters, some merges, and ChatML's two tokens. */
function byteLevel(
  pre: string | undefined,
  more: Record<string, WrittenValue> = {},
): Record<string, WrittenValue> {
  const space = letterOf(0x20);
  const merges = [
    ["h", "e"],
    ["l", "l"],
    ["he", "ll"],
    [space, "w"],
    ["1", "2"],
    ["12", "3"],
    [space, space],
    ["'", "s"],
  ] as const;
  const tokens = [
    ...Array.from({ length: 256 }, (_, byte) => letterOf(byte)),
    ...merges.map(([left, right]) => left + right),
    "hello",
    "<|im_start|>",
    "<|im_end|>",
    "[tool]",
  ];
  return {
    "tokenizer.ggml.model": text("gpt2"),
    ...(pre === undefined ? {} : { "tokenizer.ggml.pre": text(pre) }),
    "tokenizer.ggml.tokens": texts(tokens),
    "tokenizer.ggml.token_type": i32s(
      tokens.map((token) => (token.startsWith("<|") ? 3 : token === "[tool]" ? 4 : 1)),
    ),
    "tokenizer.ggml.merges": texts(merges.map((pair) => pair.join(" "))),
    "tokenizer.ggml.bos_token_id": u32(265),
    "tokenizer.ggml.eos_token_id": u32(266),
    "tokenizer.chat_template": text("{{ messages }}"),
    ...more,
  };
}

async function described(metadata: Record<string, WrittenValue>, count = 268): Promise<ModelText> {
  const { metadata: read } = await openGguf(memorySource(writeGguf({ metadata, tensors: [] })));
  return textFromGguf(read, count);
}

async function words(pre: string | undefined, written: string): Promise<string[]> {
  const tokenizer = new ModelTokenizer(await described(byteLevel(pre)));
  return tokenizer.encode(written, { begin: false }).map((token) => tokenizer.decode([token]));
}

describe("a byte-level tokenizer from a GGUF", () => {
  it("merges within words only, as its pre-tokenizer cuts them", async () => {
    expect(await words("gpt-2", "hell 123")).toEqual(["hell", " ", "123"]);
    expect(await words("smollm", "12")).toEqual(["1", "2"]);
    expect(await words("qwen2", "12")).toEqual(["1", "2"]);
    expect(await words("llama-bpe", "1234")).toEqual(["123", "4"]);
    expect(await words("gpt-2", "1234")).toEqual(["123", "4"]);
    expect(await words("gpt-2", "   w")).toEqual(["  ", " w"]);
    expect(await words("default", "w's")).toEqual(["w", "'", "s"]);
    expect(await words(undefined, "w's")).toEqual(["w", "'", "s"]);
    expect(await words("gpt-2", "w's")).toEqual(["w", "'s"]);
  });

  it("of Llama 3 takes words that are tokens as they are, and begins with its token", async () => {
    expect(await words("llama-bpe", "hello")).toEqual(["hello"]);
    expect(await words("qwen2", "hello")).toEqual(["hell", "o"]);
    expect((await described(byteLevel("llama-bpe"))).beginToken).toBe(265);
    expect((await described(byteLevel("qwen2"))).beginToken).toBeUndefined();
    const asked = byteLevel("qwen2", { "tokenizer.ggml.add_bos_token": truthValue(true) });
    expect(new ModelTokenizer(await described(asked)).encode("w")).toEqual([265, 119]);
  });

  it("of Qwen2 makes composed characters one", async () => {
    const tokenizer = new ModelTokenizer(await described(byteLevel("qwen2")));
    expect(tokenizer.encode("e\u0301")).toEqual(tokenizer.encode("\u00e9"));
  });

  it("finds special tokens only where it is asked to, and others always", async () => {
    const description = await described(byteLevel("qwen2"));
    const tokenizer = new ModelTokenizer(description);
    const written = "<|im_start|>w[tool]<|im_end|>";
    expect(tokenizer.encode(written, { special: true })).toEqual([265, 119, 267, 266]);
    const plain = tokenizer.encode(written);
    expect(plain).not.toContain(265);
    expect(plain).toContain(267);
    expect(tokenizer.decode(plain)).toBe(written);
    expect(tokenizer.decode([265, 119, 267, 266])).toBe("w[tool]");
    expect(description).toMatchObject({ endTokens: [266], chatTemplate: "{{ messages }}" });
  });

  it.each(["gpt-2", "smollm", "llama-bpe", "qwen2", "default"])("%s gives any text back", async (pre) => {
    const tokenizer = new ModelTokenizer(await described(byteLevel(pre)));
    fc.assert(
      fc.property(anyText, (written) => {
        const whole = written.toWellFormed();
        expect(tokenizer.decode(tokenizer.encode(written))).toBe(
          pre === "qwen2" ? whole.normalize("NFC") : whole,
        );
      }),
    );
  });

  it("is a file's JSON and back", async () => {
    const description = await described(byteLevel("llama-bpe"));
    expect(parseModelText(JSON.stringify(description), 268)).toEqual(description);
  });

  it.each<[Record<string, WrittenValue>, string]>([
    [
      { "tokenizer.ggml.pre": text("tekken") },
      "the pre-tokenizer tekken cannot be converted; these can: default",
    ],
    [{ "tokenizer.ggml.model": text("rwkv") }, "tokenizers of kind rwkv cannot be converted"],
    [{ "tokenizer.ggml.merges": texts(["ab"]) }, 'merge 0 is no pair: "ab"'],
    [{ "tokenizer.ggml.eos_token_id": u32(268) }, "eos_token_id is 268, but there are 268 tokens"],
    [{ "tokenizer.ggml.tokens": texts(["a", "b"]) }, "the tokenizer has 2 tokens, the model 268"],
    [{ "tokenizer.ggml.token_type": i32s([1]) }, "has 1 kinds for 268 tokens"],
    [
      { "tokenizer.ggml.tokens": texts(Array.from({ length: 268 }, () => "a")) },
      'tokens 0 and 1 are the same: "a"',
    ],
  ])("refuses %o", async (change, message) => {
    await expect(described(byteLevel("qwen2", change))).rejects.toThrow(message);
  });
});

describe("a SentencePiece tokenizer from a GGUF", () => {
  const tokens = ["<unk>", "<s>", "</s>", "▁", "a", "b", "ab", "▁a", "ba", "bab"];
  const metadata = {
    "tokenizer.ggml.model": text("llama"),
    "tokenizer.ggml.tokens": texts(tokens),
    "tokenizer.ggml.scores": f32s([0, 0, 0, -9, -8, -7, -2, -3, -1, -4]),
    "tokenizer.ggml.token_type": i32s([2, 3, 3, 1, 1, 1, 1, 1, 1, 1]),
  };

  it("joins what has the highest score first", async () => {
    const tokenizer = new ModelTokenizer(await described(metadata, 10));
    // "▁ a b a b": "ba" and "▁a", then "bab".
    expect(tokenizer.encode("abab")).toEqual([1, 7, 9]);
    expect(tokenizer.encode("ab", { begin: false })).toEqual([3, 6]);
    expect(tokenizer.encode("axb", { begin: false })).toEqual([7, 0, 5]);
  });

  it("puts no space before the text where the file says so", async () => {
    const bare = { ...metadata, "tokenizer.ggml.add_space_prefix": truthValue(false) };
    const tokenizer = new ModelTokenizer(await described(bare, 10));
    expect(tokenizer.encode("ab ab")).toEqual([1, 6, 3, 6]);
    expect(tokenizer.decode(tokenizer.encode(" ab"))).toBe(" ab");
  });
});

describe("a description from a stranger", () => {
  const [json, parsed] = [
    "malformed: text of a model: ",
    (value: unknown) => () => parseModelText(JSON.stringify(value), 268),
  ] as const;

  it("is refused with anything but a known pipeline: a pattern could run for ever", async () => {
    const { tokenizer, ...rest } = await described(byteLevel("qwen2"));
    const pattern = { type: "Split", pattern: { Regex: "(a+)+$" }, behavior: "Isolated", invert: false };
    expect(parsed({ ...rest, tokenizer: { ...tokenizer, pre_tokenizer: pattern } })).toThrow(
      `${json}an unknown way`,
    );
  });

  it("is refused with tokens that the model does not have", async () => {
    const whole = await described(byteLevel("qwen2"));
    expect(parsed({ ...whole, endTokens: [268] })).toThrow(`${json}endTokens is no token of 268`);
    expect(parsed({ ...whole, beginToken: -1 })).toThrow("beginToken is no token");
    const { model } = whole.tokenizer;
    const fewer = { ...model, vocab: { a: 0 } };
    expect(parsed({ ...whole, tokenizer: { ...whole.tokenizer, model: fewer } })).toThrow(
      "vocab does not have 268 tokens",
    );
  });

  it("is refused where it is none", () => {
    expect(() => parseModelText("{", 1)).toThrow(`${json}not JSON`);
    for (const value of [null, 3, [], {}, { tokenizer: {} }, { tokenizer: { model: {} }, endTokens: [] }])
      expect(parsed(value)).toThrow(json);
  });
});
