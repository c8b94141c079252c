import { type ModelText, type TokenizerJson, tokenizerJson } from "../../tokenizer/model-text.ts";
import { type PipelineName, PIPELINES } from "../../tokenizer/pipelines.ts";
import { addedTokens, idsOf, pieceTokenizer, TOKEN_KIND, type Vocabulary } from "../piece-tokenizer.ts";
import type { GgufMetadata } from "./metadata.ts";
import { numberList, required, textList, textValue, truth, wholeNumber } from "./metadata-access.ts";

/** Pre-tokenizers by `tokenizer.ggml.pre`; llama.cpp's default serves where a file names none. */
const PRE: ReadonlyMap<string, PipelineName> = new Map([
  ["default", "default"],
  ["gpt-2", "gpt-2"],
  ["smollm", "smollm"],
  ["llama-bpe", "llama-bpe"],
  ["llama3", "llama-bpe"],
  ["llama-v3", "llama-bpe"],
  ["qwen2", "qwen2"],
]);

/** Control tokens that end a turn or a text wherever they are, whatever the file says: those of Llama 3, ChatML and GPT-2. */
const ENDS: ReadonlySet<string> = new Set([
  "<|eot_id|>",
  "<|eom_id|>",
  "<|end_of_text|>",
  "<|im_end|>",
  "<|endoftext|>",
]);

/**
 * The tokenizer of a GGUF.
 * @param count of tokens that the model has @throws RangeError for one that cannot be converted, naming what is in the way
 */
export function textFromGguf(metadata: GgufMetadata, count: number): ModelText {
  const model = required(textValue(metadata, key("model")), key("model"));
  const tokens = required(textList(metadata, key("tokens")), key("tokens"));
  if (tokens.length !== count)
    throw new RangeError(`the tokenizer has ${tokens.length} tokens, the model ${count}`);
  const id = (name: string): number | undefined => tokenId(metadata, key(`${name}_token_id`), count);
  const begin = id("bos") ?? (model === "llama" ? 1 : undefined);
  const end = id("eos") ?? (model === "llama" ? 2 : undefined);
  const named = [end, id("eot"), id("eom")].filter((token) => token !== undefined);
  const control = [begin, ...named].filter((token) => token !== undefined);
  const vocabulary: Vocabulary = { tokens, kinds: kindsOf(metadata, tokens, control) };
  const [tokenizer, begins] =
    model === "llama" ? [readPieces(metadata, vocabulary), true] : readBytes(metadata, vocabulary, model);
  const ends = tokens.flatMap((text, at) =>
    vocabulary.kinds[at] === TOKEN_KIND.control && ENDS.has(text) ? [at] : [],
  );
  const chatTemplate = textValue(metadata, "tokenizer.chat_template");
  return {
    tokenizer,
    ...(begin !== undefined && (truth(metadata, key("add_bos_token")) ?? begins)
      ? { beginToken: begin }
      : {}),
    endTokens: [...new Set([...named, ...ends])].toSorted((a, b) => a - b),
    ...(chatTemplate === undefined ? {} : { chatTemplate }),
  };
}

function key(name: string): string {
  return `tokenizer.ggml.${name}`;
}

function tokenId(metadata: GgufMetadata, name: string, count: number): number | undefined {
  const id = wholeNumber(metadata, name);
  if (id !== undefined && id >= count)
    throw new RangeError(`${name} is ${id}, but there are ${count} tokens`);
  return id;
}

/** @param control tokens that are so even where the file gives no kinds */
function kindsOf(
  metadata: GgufMetadata,
  tokens: readonly string[],
  control: readonly number[],
): ArrayLike<number> {
  const kinds = numberList(metadata, "tokenizer.ggml.token_type");
  if (kinds !== undefined) {
    if (kinds.length === tokens.length) return kinds;
    throw new RangeError(`tokenizer.ggml.token_type has ${kinds.length} kinds for ${tokens.length} tokens`);
  }
  return tokens.map((_, id) => (control.includes(id) ? TOKEN_KIND.control : TOKEN_KIND.normal));
}

function readPieces(metadata: GgufMetadata, vocabulary: Vocabulary): TokenizerJson {
  const scores = required(numberList(metadata, key("scores")), key("scores"));
  if (scores.length !== vocabulary.tokens.length)
    throw new RangeError(
      `${key("scores")} has ${scores.length} scores for ${vocabulary.tokens.length} tokens`,
    );
  return pieceTokenizer({
    ...vocabulary,
    scores,
    unknownToken: wholeNumber(metadata, "tokenizer.ggml.unknown_token_id") ?? 0,
    prefixSpace: truth(metadata, "tokenizer.ggml.add_space_prefix") ?? true,
  });
}

function readBytes(
  metadata: GgufMetadata,
  vocabulary: Vocabulary,
  model: string,
): readonly [tokenizer: TokenizerJson, begins: boolean] {
  if (model !== "gpt2")
    throw new RangeError(`tokenizers of kind ${model} cannot be converted; these can: llama, gpt2`);
  const named = textValue(metadata, "tokenizer.ggml.pre") ?? "default";
  const pre = PRE.get(named);
  if (pre === undefined)
    throw new RangeError(
      `the pre-tokenizer ${named} cannot be converted; these can: ${[...PRE.keys()].join(", ")}`,
    );
  const merges = required(textList(metadata, "tokenizer.ggml.merges"), "tokenizer.ggml.merges");
  const ids = idsOf(vocabulary.tokens);
  const tokenizer = tokenizerJson({
    added_tokens: addedTokens(vocabulary),
    ...PIPELINES[pre],
    model: {
      type: "BPE",
      unk_token: null,
      fuse_unk: false,
      byte_fallback: false,
      // Llama 3 takes a word that is a token as it is.
      ignore_merges: pre === "llama-bpe",
      vocab: Object.fromEntries(ids),
      merges: merges.map((merge, rank) => pairOf(merge, rank)),
    },
  });
  return [tokenizer, pre === "llama-bpe"];
}

/** Two tokens with a space between them; a token may begin with one. */
function pairOf(merge: string, rank: number): readonly [string, string] {
  const space = merge.indexOf(" ", 1);
  if (space < 0 || space === merge.length - 1)
    throw new RangeError(`merge ${rank} is no pair: ${JSON.stringify(merge)}`);
  return [merge.slice(0, space), merge.slice(space + 1)];
}
