import type { PipelineStep, TokenizerJson } from "./model-text.ts";

/**
 * The ways from text to words and back. Only these are accepted in a model's file: another could hold a pattern that never
 * ends.
 */
export type Pipeline = Pick<TokenizerJson, "normalizer" | "pre_tokenizer" | "decoder">;

const NAMES = [
  "pieces",
  "pieces-as-they-are",
  "unigram",
  "gpt-2",
  "smollm",
  "llama-bpe",
  "qwen2",
  "default",
] as const;

export type PipelineName = (typeof NAMES)[number];

/** SentencePiece's sign for a space. */
export const SPACE = "\u2581";

const sequence = (
  kind: "normalizers" | "pretokenizers" | "decoders",
  ...steps: readonly PipelineStep[]
): PipelineStep => ({
  type: "Sequence",
  [kind]: steps,
});
const replace = (from: string, to: string): PipelineStep => ({
  type: "Replace",
  pattern: { String: from },
  content: to,
});
const spaceOut: PipelineStep = replace(SPACE, " ");
const bytesBack: PipelineStep = { type: "ByteFallback" };
const fuse: PipelineStep = { type: "Fuse" };

/** SentencePiece with a space before the text. */
const PIECES: Pipeline = {
  normalizer: sequence("normalizers", { type: "Prepend", prepend: SPACE }, replace(" ", SPACE)),
  pre_tokenizer: null,
  decoder: sequence("decoders", spaceOut, bytesBack, fuse, {
    type: "Strip",
    content: " ",
    start: 1,
    stop: 0,
  }),
};

const PIECES_AS_THEY_ARE: Pipeline = {
  normalizer: replace(" ", SPACE),
  pre_tokenizer: null,
  decoder: sequence("decoders", spaceOut, bytesBack, fuse),
};

/** SentencePiece with Unicode's compatibility forms made one: the unigram model of the sentence encoder. */
const UNIGRAM: Pipeline = {
  normalizer: sequence(
    "normalizers",
    { type: "NFKC" },
    { type: "Prepend", prepend: SPACE },
    replace(" ", SPACE),
  ),
  pre_tokenizer: null,
  decoder: sequence("decoders", spaceOut, fuse, { type: "Strip", content: " ", start: 1, stop: 0 }),
};

/** Words of GPT-2 with the space before them. The end of a run of spaces goes to the next word. */
const GPT2_WORDS = String.raw`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`;
/** What GPT-4 made of it: any case, one sign before a word, lines apart; `digits` of a number at a time. */
const gpt4Words = (digits: string): string =>
  String.raw`'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD]|[^\r\n\p{L}\p{N}]?\p{L}+|${digits}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`;

/** Words by pattern, each pattern within what the ones before have left or found, then bytes as letters. */
function byteLevel(normalizer: PipelineStep | null, ...patterns: readonly string[]): Pipeline {
  const byteLetters = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: false };
  const splits = patterns.map((pattern) => ({
    type: "Split",
    pattern: { Regex: pattern },
    behavior: "Isolated",
    invert: false,
  }));
  return {
    normalizer,
    pre_tokenizer: sequence("pretokenizers", ...splits, byteLetters),
    decoder: byteLetters,
  };
}

/** By name; those of byte-level tokenizers are GGUF's `tokenizer.ggml.pre`, with patterns as llama.cpp applies them. */
export const PIPELINES: Readonly<Record<PipelineName, Pipeline>> = {
  pieces: PIECES,
  "pieces-as-they-are": PIECES_AS_THEY_ARE,
  unigram: UNIGRAM,
  "gpt-2": byteLevel(null, GPT2_WORDS),
  smollm: byteLevel(null, String.raw`\p{N}`, GPT2_WORDS),
  "llama-bpe": byteLevel(null, gpt4Words(String.raw`\p{N}{1,3}`)),
  qwen2: byteLevel({ type: "NFC" }, gpt4Words(String.raw`\p{N}`)),
  default: byteLevel(null, String.raw`[\p{P}$+<=>^~|]+`, GPT2_WORDS, String.raw`\p{N}+`, "[0-9][0-9][0-9]"),
};

/** Which pipeline a tokenizer has, if any of these. */
export function pipelineOf(pipeline: Pipeline): PipelineName | undefined {
  return BY_JSON.get(jsonOf(pipeline));
}

const BY_JSON: ReadonlyMap<string, PipelineName> = new Map(
  NAMES.map((name) => [jsonOf(PIPELINES[name]), name]),
);

function jsonOf({ normalizer, pre_tokenizer, decoder }: Pipeline): string {
  return JSON.stringify([normalizer, pre_tokenizer, decoder]);
}
