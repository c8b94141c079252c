import { FailureError } from "../../protocol/failure.ts";
import type { AddedToken, BpeModel, ModelText, TokenizerJson, UnigramModel } from "./model-text.ts";
import { pipelineOf, PIPELINES } from "./pipelines.ts";

/** UTF-16 units of a unigram piece: at every place of a text all lengths are tried. The longest in use has 16. */
const MAX_PIECE_LENGTH = 64;

/** UTF-16 units of a chat template, which is taken apart for each conversation. The longest in use has some 20,000. */
const MAX_TEMPLATE_LENGTH: number = 128 * 1024;

type Fields = Readonly<Record<string, unknown>>;

function malformed(detail: string): never {
  throw new FailureError("malformed", `text of a model: ${detail}`);
}

/**
 * The description in a model's file. It comes from a stranger, so everything is checked, and what is not known is left out.
 * @param json as `JSON.stringify` of a ModelText gives it @param count of tokens that the model has
 * @throws FailureError `malformed` naming what is wrong
 */
export function parseModelText(json: string, count: number): ModelText {
  const fields = fieldsOf(parseJson(json), "the whole");
  const { chatTemplate, beginToken } = fields;
  if (chatTemplate !== undefined && typeof chatTemplate !== "string") malformed("chatTemplate is no text");
  if (chatTemplate !== undefined && chatTemplate.length > MAX_TEMPLATE_LENGTH)
    malformed(`chatTemplate has more than ${MAX_TEMPLATE_LENGTH} characters`);
  const token = (value: unknown, name: string): number => indexOf(value, count, name);
  return {
    tokenizer: parseTokenizer(fieldsOf(fields["tokenizer"], "tokenizer"), count),
    ...(beginToken === undefined ? {} : { beginToken: token(beginToken, "beginToken") }),
    endTokens: listOf(fields["endTokens"], "endTokens").map((value) => token(value, "endTokens")),
    ...(chatTemplate === undefined ? {} : { chatTemplate }),
  };
}

function parseJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return malformed("not JSON");
  }
}

function parseTokenizer(fields: Fields, count: number): TokenizerJson {
  const model = fieldsOf(fields["model"], "model");
  const bpe = model["type"] === "BPE";
  const step = (name: string): TokenizerJson["normalizer"] => {
    const value = fields[name];
    return value === null
      ? null
      : { ...fieldsOf(value, name), type: textOf(fieldsOf(value, name)["type"], name) };
  };
  const found = pipelineOf({
    normalizer: step("normalizer"),
    pre_tokenizer: step("pre_tokenizer"),
    decoder: step("decoder"),
  });
  if (found === undefined || (found === "unigram") === bpe) malformed("an unknown way from text to words");
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: listOf(fields["added_tokens"], "added_tokens").map((value) =>
      parseAdded(fieldsOf(value, "added_tokens"), count),
    ),
    ...PIPELINES[found],
    post_processor: null,
    model: bpe ? parseBpe(model, count) : parseUnigram(model, count),
  };
}

function parseAdded(fields: Fields, count: number): AddedToken {
  return {
    id: indexOf(fields["id"], count, "added token"),
    content: textOf(fields["content"], "added token"),
    special: truthOf(fields["special"], "added token"),
    normalized: false,
    single_word: false,
    lstrip: false,
    rstrip: false,
  };
}

function parseBpe(fields: Fields, count: number): BpeModel {
  const vocab: [string, number][] = [];
  const seen = new Set<number>();
  for (const [token, value] of Object.entries(fieldsOf(fields["vocab"], "vocab"))) {
    const id = indexOf(value, count, "vocab");
    seen.add(id);
    vocab.push([token, id]);
  }
  if (vocab.length !== count || seen.size !== count) malformed(`vocab does not have ${count} tokens`);
  const unknown = fields["unk_token"];
  return {
    type: "BPE",
    unk_token: unknown === null ? null : textOf(unknown, "unk_token"),
    fuse_unk: truthOf(fields["fuse_unk"], "fuse_unk"),
    byte_fallback: truthOf(fields["byte_fallback"], "byte_fallback"),
    ignore_merges: truthOf(fields["ignore_merges"], "ignore_merges"),
    vocab: Object.fromEntries(vocab),
    merges: listOf(fields["merges"], "merges").map((value) => {
      const [left, right, ...rest] = listOf(value, "merges");
      if (rest.length > 0) malformed("merges are no pairs");
      return [textOf(left, "merges"), textOf(right, "merges")];
    }),
  };
}

function parseUnigram(fields: Fields, count: number): UnigramModel {
  if (fields["type"] !== "Unigram") malformed("a model that is neither BPE nor Unigram");
  const vocab = listOf(fields["vocab"], "vocab").map((value): readonly [string, number] => {
    const [piece, score] = listOf(value, "vocab");
    if (typeof score !== "number") malformed("vocab has no scores");
    const text = textOf(piece, "vocab");
    if (text.length > MAX_PIECE_LENGTH) malformed(`a piece of more than ${MAX_PIECE_LENGTH} characters`);
    return [text, score];
  });
  if (vocab.length > count) malformed(`vocab has more than ${count} tokens`);
  return { type: "Unigram", unk_id: indexOf(fields["unk_id"], vocab.length, "unk_id"), vocab };
}

function fieldsOf(value: unknown, name: string): Fields {
  if (!isFields(value)) malformed(`${name} has no fields`);
  return value;
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function listOf(value: unknown, name: string): readonly unknown[] {
  return Array.isArray(value) ? value : malformed(`${name} is no list`);
}

function textOf(value: unknown, name: string): string {
  return typeof value === "string" ? value : malformed(`${name} is no text`);
}

function truthOf(value: unknown, name: string): boolean {
  return typeof value === "boolean" ? value : malformed(`${name} is neither true nor false`);
}

function indexOf(value: unknown, count: number, name: string): number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value < count
    ? value
    : malformed(`${name} is no token of ${count}`);
}
