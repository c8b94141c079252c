import { Tokenizer } from "@huggingface/tokenizers";
import { bytesOfLetters } from "./byte-letters.ts";
import type { AddedToken, ModelText } from "./model-text.ts";
import { pipelineOf, SPACE } from "./pipelines.ts";
import { TokenDecoder } from "./token-decoder.ts";
import { Unigram } from "./unigram.ts";

export interface EncodeOptions {
  /** Finds special tokens written out in the text, as chat templates have them. Never for what a person wrote. */
  readonly special?: boolean;
  /** Puts the begin token before the text, where the model has one; true unless said otherwise. */
  readonly begin?: boolean;
  /** A character that is taken out of the text after special tokens were found, see `shielded`. */
  readonly shield?: string;
}

export interface DecodeOptions {
  /** Whether the tokens go on from others: then a space at the beginning belongs to the text. */
  readonly continues?: boolean;
}

/** From text to tokens and back. */
export class ModelTokenizer {
  readonly endTokens: readonly number[];
  readonly #beginToken: number | undefined;
  readonly #encodePlain: (text: string) => readonly number[];
  readonly #textOf: ReadonlyMap<number, string>;
  readonly #added: ReadonlyMap<number, AddedToken>;
  readonly #userMarks: Marks;
  readonly #allMarks: Marks;
  readonly #bytesOf: (text: string) => Uint8Array;
  readonly #dropSpace: boolean;

  /** @throws RangeError for a pipeline that is none of pipelines.ts */
  constructor({ tokenizer, beginToken, endTokens }: ModelText) {
    const pipeline = pipelineOf(tokenizer);
    if (pipeline === undefined) throw new RangeError("a tokenizer with an unknown pipeline");
    const { model, added_tokens: added } = tokenizer;
    this.endTokens = endTokens;
    this.#beginToken = beginToken;
    if (model.type === "Unigram") {
      const unigram = new Unigram(model);
      this.#encodePlain = (text) => unigram.encode(text);
      this.#textOf = new Map(model.vocab.map(([piece], id) => [id, piece]));
    } else {
      // Added tokens are found here, since the caller decides on special ones.
      const bpe = new Tokenizer({ ...tokenizer, added_tokens: [] }, {});
      this.#encodePlain = (text) => bpe.encode(text, { add_special_tokens: false }).ids;
      this.#textOf = new Map(Object.entries(model.vocab).map(([text, id]) => [id, text]));
    }
    this.#added = new Map(added.map((token) => [token.id, token]));
    this.#userMarks = new Marks(added.filter(({ special }) => !special));
    this.#allMarks = new Marks(added);
    const pieces = pipeline === "pieces" || pipeline === "pieces-as-they-are" || pipeline === "unigram";
    this.#bytesOf = pieces ? bytesOfPiece : bytesOfLetters;
    this.#dropSpace = pipeline === "pieces" || pipeline === "unigram";
  }

  encode(text: string, { special = false, begin = true, shield = "" }: EncodeOptions = {}): number[] {
    const marks = special ? this.#allMarks : this.#userMarks;
    const plain = (part: string): readonly number[] =>
      shield === "" ? this.#encodePlain(part) : this.encode(part.replaceAll(shield, ""), { begin: false });
    const tokens = marks.split(text).flatMap((part) => (typeof part === "number" ? [part] : plain(part)));
    return begin && this.#beginToken !== undefined ? [this.#beginToken, ...tokens] : tokens;
  }

  /**
   * A text in which no special token is found, whatever it says: in each that is written out stands a shield behind the first
   * character. @param shield one character, which the text loses where it has it
   */
  shielded(text: string, shield: string): string {
    const parts = this.#allMarks.texts(text.replaceAll(shield, ""));
    return parts.map((part, i) => (i % 2 === 0 ? part : `${part[0]}${shield}${part.slice(1)}`)).join("");
  }

  /** What a token looks like where it is written out, special ones too; empty for none. */
  textOf(token: number): string {
    return this.#added.get(token)?.content ?? this.#textOf.get(token) ?? "";
  }

  /** Text without special tokens. */
  decode(tokens: readonly number[], options?: DecodeOptions): string {
    const decoder = this.decoder(options);
    return tokens.map((token) => decoder.push(token)).join("") + decoder.end();
  }

  /** Decodes token by token. */
  decoder({ continues = false }: DecodeOptions = {}): TokenDecoder {
    return new TokenDecoder((token) => this.#tokenBytes(token), this.#dropSpace && !continues);
  }

  #tokenBytes(token: number): Uint8Array {
    const added = this.#added.get(token);
    if (added !== undefined) return new TextEncoder().encode(added.special ? "" : added.content);
    return this.#bytesOf(this.#textOf.get(token) ?? "");
  }
}

/** Added tokens written out in a text. */
class Marks {
  readonly #ids: ReadonlyMap<string, number>;
  readonly #pattern: RegExp | undefined;

  constructor(tokens: readonly AddedToken[]) {
    const found = tokens
      .filter(({ content }) => content !== "")
      .toSorted((a, b) => b.content.length - a.content.length);
    this.#ids = new Map(found.map(({ id, content }) => [content, id]));
    const texts = found.map(({ content }) => content.replaceAll(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`));
    this.#pattern = texts.length === 0 ? undefined : new RegExp(`(${texts.join("|")})`, "u");
  }

  /** Parts of the text in order, the id where one is a token; empty parts are left out. */
  split(text: string): (string | number)[] {
    const parts = this.texts(text).filter((part) => part !== "");
    return parts.map((part) => this.#ids.get(part) ?? part);
  }

  /** Parts of the text in order, plain ones and tokens in turn. */
  texts(text: string): string[] {
    return this.#pattern === undefined ? [text] : text.split(this.#pattern);
  }
}

/** SentencePiece's tokens: text with U+2581 for spaces, or one byte written <0x0A>. */
function bytesOfPiece(piece: string): Uint8Array {
  const byte = /^<0x([0-9A-F]{2})>$/.exec(piece)?.[1];
  return byte === undefined
    ? new TextEncoder().encode(piece.replaceAll(SPACE, " "))
    : Uint8Array.of(Number.parseInt(byte, 16));
}
