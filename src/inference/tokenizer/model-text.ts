/** How a model's tokens stand for text. Kept in the model's file as JSON. */
export interface ModelText {
  /** A `tokenizer.json`, as Hugging Face's tokenizers write it, of one of the pipelines in pipelines.ts. */
  readonly tokenizer: TokenizerJson;
  /** Stands before every text; absent where the model wants none. */
  readonly beginToken?: number;
  /** Tokens after which nothing follows. */
  readonly endTokens: readonly number[];
  /** Jinja template that turns a conversation into text. */
  readonly chatTemplate?: string;
}

export interface TokenizerJson {
  readonly version: "1.0";
  readonly truncation: null;
  readonly padding: null;
  readonly added_tokens: readonly AddedToken[];
  readonly normalizer: PipelineStep | null;
  readonly pre_tokenizer: PipelineStep | null;
  readonly post_processor: null;
  readonly decoder: PipelineStep | null;
  readonly model: BpeModel | UnigramModel;
}

/** A token that is looked for in the text before anything else. */
export interface AddedToken {
  readonly id: number;
  readonly content: string;
  /** Steers the model and is no text; found only where the caller asks for it. */
  readonly special: boolean;
  readonly normalized: false;
  readonly single_word: false;
  readonly lstrip: false;
  readonly rstrip: false;
}

/** A normaliser, pre-tokenizer or decoder, see pipelines.ts. */
export interface PipelineStep {
  readonly type: string;
  readonly [option: string]: unknown;
}

export interface BpeModel {
  readonly type: "BPE";
  readonly unk_token: string | null;
  readonly fuse_unk: boolean;
  /** Whether characters without a token become one token for each of their bytes, written <0x0A>. */
  readonly byte_fallback: boolean;
  /** Whether a word that is a token is not put together from parts. */
  readonly ignore_merges: boolean;
  /** Ids 0 to n - 1, each once. */
  readonly vocab: Readonly<Record<string, number>>;
  /** Pairs of tokens that become one, the first first. */
  readonly merges: readonly (readonly [left: string, right: string])[];
}

export interface UnigramModel {
  readonly type: "Unigram";
  readonly unk_id: number;
  /** Pieces with the logarithm of their probability, by id. */
  readonly vocab: readonly (readonly [piece: string, score: number])[];
}

export function addedToken(id: number, content: string, special: boolean): AddedToken {
  return { id, content, special, normalized: false, single_word: false, lstrip: false, rstrip: false };
}

export function tokenizerJson(
  parts: Pick<TokenizerJson, "added_tokens" | "normalizer" | "pre_tokenizer" | "decoder" | "model">,
): TokenizerJson {
  const { added_tokens, normalizer, pre_tokenizer, decoder, model } = parts;
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens,
    normalizer,
    pre_tokenizer,
    post_processor: null,
    decoder,
    model,
  };
}
