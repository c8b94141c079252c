import { type AddedToken, addedToken, type TokenizerJson, tokenizerJson } from "../tokenizer/model-text.ts";
import { PIPELINES } from "../tokenizer/pipelines.ts";
import { LARGEST } from "../model/limits.ts";
import { MAX_TOKEN_LENGTH } from "./limits.ts";

/** Kinds of tokens, with SentencePiece's numbers, which GGUF keeps. */
export const TOKEN_KIND = { normal: 1, unknown: 2, control: 3, user: 4, unused: 5, byte: 6 } as const;

/** A vocabulary by id, with what each token is for. */
export interface Vocabulary {
  readonly tokens: readonly string[];
  readonly kinds: ArrayLike<number>;
}

export interface PieceVocabulary extends Vocabulary {
  /** The higher, the earlier a token is put together. */
  readonly scores: ArrayLike<number>;
  readonly unknownToken: number;
  /** Whether a space is put before a text. */
  readonly prefixSpace: boolean;
}

/**
 * SentencePiece's BPE model as a tokenizer.json. There, pairs are joined by the score of what they make, the highest first;
 * here by rank, so every way to cut a token in two tokens becomes a pair with the rank of its score.
 * @throws RangeError for a vocabulary with a token twice, or beyond the limits
 */
export function pieceTokenizer(vocabulary: PieceVocabulary): TokenizerJson {
  const { tokens, unknownToken, prefixSpace } = vocabulary;
  const unknown = tokens[unknownToken];
  if (unknown === undefined)
    throw new RangeError(`the unknown token ${unknownToken} is none of ${tokens.length}`);
  const ids = idsOf(tokens);
  return tokenizerJson({
    added_tokens: addedTokens(vocabulary),
    ...PIPELINES[prefixSpace ? "pieces" : "pieces-as-they-are"],
    model: {
      type: "BPE",
      unk_token: unknown,
      fuse_unk: false,
      byte_fallback: true,
      ignore_merges: false,
      vocab: Object.fromEntries(ids),
      merges: mergesOf(vocabulary, ids),
    },
  });
}

export function idsOf(tokens: readonly string[]): Map<string, number> {
  if (tokens.length > LARGEST.vocabulary)
    throw new RangeError(`${tokens.length} tokens are more than ${LARGEST.vocabulary}`);
  const ids = new Map<string, number>();
  for (const [id, token] of tokens.entries()) {
    const first = ids.get(token);
    if (first !== undefined)
      throw new RangeError(`tokens ${first} and ${id} are the same: ${JSON.stringify(token)}`);
    ids.set(token, id);
  }
  return ids;
}

/** Those that are found before anything else, in the order of ids. */
export function addedTokens({ tokens, kinds }: Vocabulary): AddedToken[] {
  return tokens.flatMap((content, id) => {
    const kind = kinds[id];
    if (content === "") return [];
    if (kind === TOKEN_KIND.control || kind === TOKEN_KIND.unknown) return [addedToken(id, content, true)];
    return kind === TOKEN_KIND.user ? [addedToken(id, content, false)] : [];
  });
}

interface Merge {
  readonly left: number;
  readonly right: number;
  readonly made: number;
}

function mergesOf(vocabulary: PieceVocabulary, ids: ReadonlyMap<string, number>): [string, string][] {
  const { tokens, kinds, scores } = vocabulary;
  const merges: Merge[] = [];
  const normal = (text: string): number | undefined => {
    const id = ids.get(text);
    return id !== undefined && kinds[id] === TOKEN_KIND.normal ? id : undefined;
  };
  for (const [made, token] of tokens.entries()) {
    if (kinds[made] !== TOKEN_KIND.normal) continue;
    if (token.length > MAX_TOKEN_LENGTH)
      throw new RangeError(`token ${made} is longer than ${MAX_TOKEN_LENGTH} characters`);
    if (Number.isNaN(scores[made] ?? Number.NaN)) throw new RangeError(`token ${made} has no score`);
    for (let cut = 1; cut < token.length; cut += 1) {
      const left = normal(token.slice(0, cut));
      const right = left === undefined ? undefined : normal(token.slice(cut));
      if (left !== undefined && right !== undefined) merges.push({ left, right, made });
    }
  }
  const score = ({ made }: Merge): number => scores[made] ?? 0;
  merges.sort((a, b) => score(b) - score(a) || a.made - b.made || a.left - b.left);
  return merges.map(({ left, right }) => [tokens[left] ?? "", tokens[right] ?? ""]);
}
