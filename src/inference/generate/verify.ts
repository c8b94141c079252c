import { equalBytes } from "../../protocol/bytes.ts";
import type { Decoder } from "../backend.ts";
import { inOrder } from "./in-order.ts";
import { drawToken, type Sampling } from "./sampling.ts";
import { nextLink } from "./transcript.ts";

/** What a provider claims about a text. */
export interface Transcript {
  /** The prompt's tokens and all drawn after them, the last one included although it was never taken in. */
  readonly tokens: readonly number[];
  readonly promptTokens: number;
  readonly sampling: Sampling;
  /** Hash of each position taken in: one less than tokens. */
  readonly links: readonly Uint8Array[];
}

/** `position` is the first that differs; `what` tells whether its state or the token drawn after it does. */
export type Verdict =
  | { readonly kind: "holds"; readonly positions: number }
  | { readonly kind: "differs"; readonly position: number; readonly what: "state" | "token" };

/** Positions that are recomputed together, unless the decoder wants other batches. */
const BATCH = 128;

/**
 * Recomputes a transcript in batches, which gives the bits that were computed one by one, and says where it differs.
 * @param decoder at position 0 @param link the transcript's first, see firstLink
 * @throws RangeError for a transcript that is not consistent in itself; the signal's reason
 */
export async function verifyTranscript(
  decoder: Decoder,
  { tokens, promptTokens, sampling, links }: Transcript,
  link: Uint8Array,
  signal?: AbortSignal,
): Promise<Verdict> {
  const { width } = decoder.model.shape;
  if (links.length !== tokens.length - 1 || promptTokens < 1 || promptTokens >= tokens.length)
    throw new RangeError(
      `${links.length} hashes do not fit ${tokens.length} tokens of which ${promptTokens} are given`,
    );
  const { calls, tokens: rows } = decoder.overlap ?? { calls: 1, tokens: BATCH };
  const stop = new AbortController();
  // Where nothing overlaps, nothing is under way when a difference is found.
  const either =
    calls === 1 ? signal : AbortSignal.any([stop.signal, ...(signal === undefined ? [] : [signal])]);
  const recompute = async (start: number): Promise<Recomputed> => {
    const part = tokens.slice(start, Math.min(start + rows, links.length));
    const hidden = await decoder.forward(part, either);
    // Behind all but the last token of the prompt nothing was drawn.
    const skipped = Math.max(0, Math.min(part.length, promptTokens - 1 - start));
    const claimed = tokens.slice(start + skipped + 1, start + part.length + 1);
    const rest = hidden.subarray(skipped * width);
    const drawn = await drawnAfter(decoder, sampling, start + skipped, rest, claimed, either);
    return { start, part, hidden, skipped, drawn };
  };
  let before = link;
  try {
    const starts = Array.from({ length: Math.ceil(links.length / rows) }, (_, i) => i * rows);
    for await (const { start, part, hidden, skipped, drawn } of inOrder(starts, recompute, calls))
      for (const [i, token] of part.entries()) {
        const position = start + i;
        before = nextLink(before, token, hidden.subarray(i * width, (i + 1) * width));
        if (!equalBytes(before, links[position] ?? new Uint8Array(0)))
          return { kind: "differs", position, what: "state" };
        if (i >= skipped && drawn[i - skipped] !== tokens[position + 1])
          return { kind: "differs", position, what: "token" };
      }
  } finally {
    stop.abort();
  }
  return { kind: "holds", positions: links.length };
}

/** A batch of positions: its states, and the tokens drawn behind all but the first `skipped` of them. */
interface Recomputed {
  readonly start: number;
  readonly part: readonly number[];
  readonly hidden: Int32Array;
  readonly skipped: number;
  readonly drawn: ArrayLike<number>;
}

/**
 * The tokens drawn behind rows of hidden states, the first of which is that of `position`.
 * @param claimed what they should be
 */
async function drawnAfter(
  decoder: Decoder,
  sampling: Sampling,
  position: number,
  hidden: Int32Array,
  claimed: readonly number[],
  signal: AbortSignal | undefined,
): Promise<ArrayLike<number>> {
  const { shape, exp2Table } = decoder.model;
  if (sampling.temperatureMilli === 0 && decoder.likeliest !== undefined)
    return decoder.likeliest(hidden, claimed, signal);
  const logits = await decoder.logits(hidden, signal);
  return Array.from({ length: hidden.length / shape.width }, (_, row) => {
    const scores = logits.subarray(row * shape.vocabulary, (row + 1) * shape.vocabulary);
    return drawToken(scores, sampling, position + row, exp2Table);
  });
}
