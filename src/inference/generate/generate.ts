import { FailureError } from "../../protocol/failure.ts";
import type { Decoder } from "../backend.ts";
import { Breaks } from "../breaks.ts";
import { forwardFuel, logitsFuel } from "./fuel.ts";
import { inOrder } from "./in-order.ts";
import { drawToken, type Sampling } from "./sampling.ts";
import { nextLink } from "./transcript.ts";

export interface GenerationRequest {
  readonly prompt: readonly number[];
  /** Tokens to write at most. */
  readonly most: number;
  readonly sampling: Sampling;
  /** Tokens after which nothing follows. */
  readonly endTokens: readonly number[];
  /** Hash before the first position, see firstLink. */
  readonly link: Uint8Array;
  readonly signal?: AbortSignal;
  /** Of all steps; no limit if not given. */
  readonly fuelLimit?: bigint;
}

/** One position more: the token that was drawn there, and what proves it. */
export interface GeneratedToken {
  readonly token: number;
  /** Whether it ends the text. */
  readonly end: boolean;
  /** Hashes of the positions taken in since the last token: the prompt's, then one at a time. */
  readonly links: readonly Uint8Array[];
  /** Fuel since the last token. */
  readonly fuel: bigint;
}

/** Positions of a prompt that are taken in between two looks at the signal, unless the decoder wants other batches. */
const PREFILL_STEP = 64;

/**
 * Continues a prompt, token by token. Ends after an end token, after `most` tokens, or where the context is full.
 * @param decoder at the position where the prompt begins
 * @throws RangeError for an empty prompt or one longer than the context; FailureError `out-of-fuel` before a step that the
 * limit does not cover: the prompt, or one token more, each with the scores behind it; the signal's reason
 */
export async function* generate(
  decoder: Decoder,
  request: GenerationRequest,
): AsyncGenerator<GeneratedToken> {
  const { shape, exp2Table } = decoder.model;
  const { sampling, signal, endTokens } = request;
  if (request.prompt.length === 0) throw new RangeError("an empty prompt");
  if (decoder.positions + request.prompt.length > shape.context)
    throw new RangeError(
      `the prompt has ${request.prompt.length} tokens, the model's context ${shape.context}`,
    );
  const limit = request.fuelLimit;
  const breaks = new Breaks(signal);
  const { calls, tokens: step } = decoder.overlap ?? { calls: 1, tokens: PREFILL_STEP };
  let link = request.link;
  let tokens = request.prompt;
  let spent = 0n;
  for (let written = 0; written < request.most && tokens.length > 0; written += 1) {
    const fuel = forwardFuel(shape, decoder.positions, tokens.length) + logitsFuel(shape);
    spent += fuel;
    if (limit !== undefined && spent > limit)
      throw new FailureError("out-of-fuel", `the next step takes ${spent} in all, the limit is ${limit}`);
    const links: Uint8Array[] = [];
    let last: Int32Array = new Int32Array(0);
    const taken = tokens;
    const take = async (at: number): Promise<readonly [readonly number[], Int32Array]> => {
      // Where calls overlap, all of them come in their order, and other threads compute.
      if (calls === 1) await breaks.take();
      const part = taken.slice(at, at + step);
      return [part, await decoder.forward(part, signal)];
    };
    const starts = Array.from({ length: Math.ceil(tokens.length / step) }, (_, i) => i * step);
    // oxlint-disable-next-line no-await-in-loop -- each position depends on the ones before
    for await (const [part, hidden] of inOrder(starts, take, calls)) {
      for (const [i, each] of part.entries()) {
        last = hidden.subarray(i * shape.width, (i + 1) * shape.width);
        link = nextLink(link, each, last);
        links.push(link);
      }
    }
    // oxlint-disable-next-line no-await-in-loop
    const logits = await decoder.logits(last, signal);
    const token = drawToken(logits, sampling, decoder.positions - 1, exp2Table);
    const end = endTokens.includes(token);
    yield { token, end, links, fuel };
    if (end || decoder.positions === shape.context) return;
    tokens = [token];
  }
}
