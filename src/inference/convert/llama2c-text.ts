import type { ModelText } from "../tokenizer/model-text.ts";
import { SPACE } from "../tokenizer/pipelines.ts";
import { LARGEST } from "../model/limits.ts";
import { MAX_TOKEN_LENGTH } from "./limits.ts";
import { pieceTokenizer, TOKEN_KIND } from "./piece-tokenizer.ts";

/** Fewest bytes of a token: f32 score, i32 length. */
const TOKEN_BYTES = 8;
const HEADER_BYTES = 4;
const [UNKNOWN, BEGIN, END] = [0, 1, 2] as const;

/**
 * The tokenizer file of llama2.c (`tok512.bin`): u32 longest token, then for each token f32 score, i32 length, text with
 * plain spaces. Tokens 0 to 2 are unknown, begin and end.
 * @param count of tokens that the model has @throws RangeError for bytes that are no such file
 */
export function readLlama2cText(bytes: Uint8Array, count: number): ModelText {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  const tokens: string[] = [];
  const scores: number[] = [];
  let at = HEADER_BYTES;
  while (at + TOKEN_BYTES <= bytes.length && tokens.length < LARGEST.vocabulary) {
    const length = view.getInt32(at + 4, true);
    const start = at + TOKEN_BYTES;
    // A character has at most four bytes.
    if (length < 0 || length > 4 * MAX_TOKEN_LENGTH || start + length > bytes.length)
      throw new RangeError(
        `token ${tokens.length} of a llama2.c tokenizer at byte ${at} has ${length} bytes`,
      );
    scores.push(view.getFloat32(at, true));
    tokens.push(decoder.decode(bytes.subarray(start, start + length)).replaceAll(" ", SPACE));
    at = start + length;
  }
  if (at !== bytes.length) throw new RangeError(`a llama2.c tokenizer ends within token ${tokens.length}`);
  if (tokens.length !== count)
    throw new RangeError(`the tokenizer has ${tokens.length} tokens, the model ${count}`);
  const kinds = tokens.map((token, id) => {
    if (id === UNKNOWN) return TOKEN_KIND.unknown;
    if (id === BEGIN || id === END) return TOKEN_KIND.control;
    return /^<0x[0-9A-F]{2}>$/.test(token) ? TOKEN_KIND.byte : TOKEN_KIND.normal;
  });
  const vocabulary = { tokens: tokens.map(markup), kinds, scores, unknownToken: UNKNOWN, prefixSpace: true };
  return { tokenizer: pieceTokenizer(vocabulary), beginToken: BEGIN, endTokens: [BEGIN, END] };
}

/** llama2.c's export puts lines around begin and end, which no text of theirs has. */
function markup(token: string, id: number): string {
  return id === BEGIN || id === END ? token.trim() : token;
}
