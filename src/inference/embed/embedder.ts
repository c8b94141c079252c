import type { Encoder } from "../backend.ts";
import type { ModelTokenizer } from "../tokenizer/model-tokenizer.ts";
import { textFuel } from "./fuel.ts";
import { firstTextLink, nextTextLink } from "./links.ts";

/** Tokens after which vectors are handed out: as many as backends take through a model together. */
const TOKENS_AT_ONCE = 384;

/** What became of a text. */
export interface Embedding {
  /** Of unit length, i16[output] in Q15. */
  readonly vector: Int16Array;
  /** Tokens that were taken in. */
  readonly tokens: readonly number[];
  /** Whether the text had more tokens than the model has positions: its end is left out. */
  readonly isCut: boolean;
  /** Integer multiply-adds. */
  readonly fuel: bigint;
  /** Hash over this text and those before it. */
  readonly link: Uint8Array;
}

/** A text with the tokens it is cut in. */
interface Cut {
  readonly tokens: readonly number[];
  readonly isCut: boolean;
}

/** From texts to vectors: a tokenizer and an encoder of one model file. */
export class Embedder {
  readonly encoder: Encoder;
  readonly #tokenizer: ModelTokenizer;
  readonly #modelDigest: Uint8Array;

  /** @param modelDigest of the CID of the model's manifest */
  constructor(encoder: Encoder, tokenizer: ModelTokenizer, modelDigest: Uint8Array) {
    this.encoder = encoder;
    this.#tokenizer = tokenizer;
    this.#modelDigest = modelDigest;
  }

  /** Hash before the first text. */
  get link(): Uint8Array {
    return firstTextLink(this.#modelDigest);
  }

  /**
   * Embeds the texts of a task, in their order; how many are encoded together changes nothing.
   * @param signal ends it within 100 ms
   * @throws RangeError for a text in which no token is found, before anything is computed; what the encoder throws
   */
  async *embed(texts: readonly string[], signal?: AbortSignal): AsyncGenerator<Embedding, void, void> {
    const { shape } = this.encoder.model;
    const cuts = texts.map((text, i) => this.#cut(text, i));
    let { link } = this;
    for (const group of groupsOf(cuts)) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const vectors = await this.encoder.encode(
        group.map(({ tokens }) => tokens),
        signal,
      );
      for (const [i, { tokens, isCut }] of group.entries()) {
        const vector = vectors[i];
        if (vector === undefined) throw new Error("an encoder has left out a text");
        link = nextTextLink(link, tokens, vector);
        yield { vector, tokens, isCut, fuel: textFuel(shape, tokens.length), link };
      }
    }
  }

  #cut(text: string, index: number): Cut {
    const { context } = this.encoder.model.shape;
    const tokens = this.#tokenizer.encode(text);
    if (tokens.length === 0) throw new RangeError(`text ${index} has no tokens`);
    return { tokens: tokens.slice(0, context), isCut: tokens.length > context };
  }
}

/** Neighbours that are encoded together. */
function groupsOf(cuts: readonly Cut[]): readonly (readonly Cut[])[] {
  const groups: Cut[][] = [];
  let tokens = TOKENS_AT_ONCE;
  for (const cut of cuts) {
    tokens += cut.tokens.length;
    if (tokens > TOKENS_AT_ONCE) {
      groups.push([]);
      tokens = cut.tokens.length;
    }
    groups.at(-1)?.push(cut);
  }
  return groups;
}
