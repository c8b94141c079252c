import { equalBytes } from "../protocol/bytes.ts";
import { FailureError } from "../protocol/failure.ts";
import { HASH_BYTES } from "../protocol/merkle.ts";
import {
  decodeModelData,
  encodeModelData,
  type GenerateInput,
  generateInputSchema,
  type GenerateSegment,
  generateSegmentSchema,
  type TextEnd,
} from "../protocol/messages/model-task.ts";
import type { OutcomeLeaf } from "../protocol/messages/task.ts";
import type { PeerId } from "../protocol/peer-id.ts";
import { WireError } from "../protocol/wire-error.ts";
import type { GenerationPiece } from "./model-options.ts";
import type { FinalSegment } from "./task-answers.ts";
import type { TaskAttempt, TaskWatch } from "./task-watch.ts";

export interface TextWatchOptions {
  readonly input: GenerateInput;
  /** Positions of the model. */
  readonly context: number;
  /** A piece is final. */
  readonly onPiece: (piece: GenerationPiece) => void;
}

/** What cannot come from the model. */
function nonsense(what: string): FailureError {
  return new FailureError("content-mismatch", `the text of a model: ${what}`);
}

/** @throws FailureError `content-mismatch` for what is no segment, or contradicts its outcome. */
function readSegment(
  output: Uint8Array,
  { segment, from, to, end, stateHash }: OutcomeLeaf,
): GenerateSegment {
  let read: GenerateSegment;
  try {
    read = decodeModelData(generateSegmentSchema, output);
  } catch (error) {
    if (error instanceof WireError) throw nonsense(error.message);
    throw error;
  }
  if (read.tokens.length !== to - from) throw nonsense("its tokens are not as many as its outcome says");
  if (read.prompt.length > 0 !== (segment === 0)) throw nonsense("the prompt is in the first segment alone");
  if ((read.end !== undefined) !== end) throw nonsense("only the last segment says why it ends");
  if (read.links.length % HASH_BYTES !== 0) throw nonsense("a hash is cut off");
  const last = read.links.subarray(read.links.length - HASH_BYTES);
  if (stateHash === undefined || (last.length > 0 && !equalBytes(stateHash, last)))
    throw nonsense("its outcome names another state than its last hash");
  return read;
}

/**
 * Follows one text over all providers that write it: checks that each segment follows on what is final already, and says
 * what is left for the next provider.
 */
export class TextWatch implements TaskWatch {
  readonly #options: TextWatchOptions;
  readonly #links: Uint8Array[] = [];
  readonly #tokens: number[] = [];
  readonly #providers: PeerId[] = [];
  #prompt: readonly number[] = [];
  #text = "";
  #end: TextEnd | undefined;

  constructor(options: TextWatchOptions) {
    this.#options = options;
  }

  /** Of the prompt, once the first segment is final. */
  get prompt(): readonly number[] {
    return this.#prompt;
  }

  /** Written so far. */
  get tokens(): readonly number[] {
    return this.#tokens;
  }

  get text(): string {
    return this.#text;
  }

  /** One hash for each position that was taken in. */
  get links(): readonly Uint8Array[] {
    return this.#links;
  }

  /** Why the text ended; absent until it did. */
  get end(): TextEnd | undefined {
    return this.#end;
  }

  /** Those that wrote some of it. */
  get providers(): readonly PeerId[] {
    return this.#providers;
  }

  attempt(_index: number, _input: Uint8Array, provider: PeerId): TaskAttempt {
    const written = [...this.#tokens];
    let position = 0;
    let isOver = false;
    return {
      input: encodeModelData(generateInputSchema, { ...this.#options.input, written }),
      check: (output, outcome) => void readSegment(output, outcome),
      segment: (segment) => {
        if (isOver) return;
        position = this.#take(segment, written.length, position, provider);
      },
      leave: () => {
        isOver = true;
        return this.#tokens.length > written.length;
      },
    };
  }

  /**
   * @param before tokens that were written before this provider @param position of the segment's first hash
   * @returns the position after its last
   */
  #take({ output, outcome }: FinalSegment, before: number, position: number, provider: PeerId): number {
    const segment = readSegment(output, outcome);
    if (outcome.segment === 0) this.#takePrompt(segment.prompt);
    const written = before + outcome.to;
    if (written > this.#options.input.maxTokens) throw nonsense("more tokens than were asked for");
    const after = position + segment.links.length / HASH_BYTES;
    this.#requirePlaced(after, written, outcome.to);
    if (segment.end !== undefined) this.#requireEnd(segment.end, after, written);
    this.#takeLinks(segment.links, position, outcome.stateHash);
    this.#tokens.push(...segment.tokens);
    this.#text += segment.text;
    this.#end = segment.end;
    if (this.#providers.at(-1) !== provider) this.#providers.push(provider);
    this.#options.onPiece({ text: segment.text, tokens: segment.tokens, provider });
    return after;
  }

  #takePrompt(prompt: readonly number[]): void {
    if (this.#prompt.length > 0 && !sameTokens(prompt, this.#prompt))
      throw nonsense("another prompt than the provider before has read");
    this.#prompt = prompt;
  }

  /** The last token that was drawn is not taken in yet, all before it are. */
  #requirePlaced(after: number, written: number, toldHere: number): void {
    const known = this.#prompt.length + written;
    if (toldHere > 0 ? after !== known - 1 : after > known)
      throw nonsense(`${after} hashes for ${known} tokens`);
    if (after > this.#options.context) throw nonsense("more positions than the model has");
  }

  #requireEnd(end: TextEnd, after: number, written: number): void {
    const { input, context } = this.#options;
    if (end === "length" && written < input.maxTokens && after < context)
      throw nonsense("it ends for its length and is not as long as it may be");
    if (end === "stop" && input.stop.length === 0)
      throw nonsense("it ends at a stop text, and there is none");
  }

  /** Of positions that are known already the hashes must be the same: the model's states do not depend on who computes them. */
  #takeLinks(links: Uint8Array, position: number, stateHash: Uint8Array | undefined): void {
    for (let at = 0; at < links.length; at += HASH_BYTES) {
      const place = position + at / HASH_BYTES;
      const link = links.slice(at, at + HASH_BYTES);
      const known = this.#links[place];
      if (known === undefined) this.#links.push(link);
      else if (!equalBytes(known, link))
        throw nonsense(`another state at position ${place} than the provider before has signed for`);
    }
    const last = this.#links.at(-1);
    if (
      links.length === 0 &&
      position > 0 &&
      last !== undefined &&
      stateHash !== undefined &&
      !equalBytes(last, stateHash)
    )
      throw nonsense("its outcome names another state than the last one");
  }
}

function sameTokens(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((token, i) => token === b[i]);
}
