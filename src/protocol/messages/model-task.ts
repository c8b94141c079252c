import {
  MAX_CHAT_MESSAGES,
  MAX_EMBED_TEXTS,
  MAX_MODEL_POSITIONS,
  MAX_PROMPT_BYTES,
  MAX_STOP_TEXTS,
  MAX_TASK_BYTES,
} from "../limits.ts";
import { HASH_BYTES } from "../merkle.ts";
import {
  bytes,
  decode,
  encode,
  exactBytes,
  list,
  oneOf,
  optional,
  record,
  type Schema,
  text,
  uint,
  where,
} from "../schema.ts";

/**
 * Inputs and outputs of tasks of a model (interface `model-1`), canonical dag-cbor. A task of the entry `generate` is a
 * stream: each segment's output is a GenerateSegment, its units are the tokens written, and the outcome's `stateHash` is the
 * last hash of the segment. A task of the entry `embed` has one outcome whose output is an EmbedOutput.
 */

export const CHAT_ROLES = ["system", "user", "assistant"] as const;
export type ChatRole = (typeof CHAT_ROLES)[number];

export interface ChatMessage {
  readonly role: ChatRole;
  readonly content: string;
}

/** What `generate` takes in. Exactly one of `text` and `messages` is there. */
export interface GenerateInput {
  /** The prompt as it is. */
  readonly text?: string;
  /** A conversation, which the model's own template turns into a prompt. */
  readonly messages?: readonly ChatMessage[];
  /**
   * Tokens that were written already, by another provider under its receipt: the text goes on behind them, and the same bits
   * come out as if it had never been interrupted.
   */
  readonly written: readonly number[];
  /** Tokens to write at most, those in `written` counted. */
  readonly maxTokens: number;
  /** Thousandths; 0 takes the most likely token. */
  readonly temperatureMilli: number;
  /** Of how many of the most likely tokens; 0 for all. */
  readonly topK: number;
  /** Thousandths of the probability that the kept tokens make up at least; 1000 for all. */
  readonly topPMilli: number;
  /** Randomness of the drawing, 32 bytes. */
  readonly seed: Uint8Array;
  /** Texts before which the answer ends. */
  readonly stop: readonly string[];
}

const message: Schema<ChatMessage> = record<ChatMessage>({
  role: oneOf(CHAT_ROLES),
  content: text(MAX_PROMPT_BYTES),
});

const token: Schema<number> = uint(2 ** 24);

export const generateInputSchema: Schema<GenerateInput> = where(
  record<GenerateInput>({
    text: optional(text(MAX_PROMPT_BYTES)),
    messages: optional(list(message, MAX_CHAT_MESSAGES)),
    written: list(token, MAX_MODEL_POSITIONS),
    maxTokens: uint(MAX_MODEL_POSITIONS),
    temperatureMilli: uint(100_000),
    topK: uint(2 ** 24),
    topPMilli: uint(1_000),
    seed: exactBytes(32),
    stop: list(text(256), MAX_STOP_TEXTS),
  }),
  (input) => (input.text === undefined) !== (input.messages === undefined),
  "generate: has a text or messages, and not both",
);

/** Why a text ended. */
export const TEXT_ENDS = ["end-token", "stop", "length"] as const;
export type TextEnd = (typeof TEXT_ENDS)[number];

/** One piece of a text on its way. */
export interface GenerateSegment {
  /** Tokens of the prompt, in the first segment alone: what a recomputation begins with. */
  readonly prompt: readonly number[];
  /** Tokens written in this segment. */
  readonly tokens: readonly number[];
  /** What they stand for, as far as no stop text can begin in it. */
  readonly text: string;
  /** 32 bytes for each position taken in since the segment before: the chain of docs/numerics.md. */
  readonly links: Uint8Array;
  /** In the last segment. */
  readonly end?: TextEnd;
}

export const generateSegmentSchema: Schema<GenerateSegment> = record<GenerateSegment>({
  prompt: list(token, MAX_MODEL_POSITIONS),
  tokens: list(token, MAX_MODEL_POSITIONS),
  text: text(MAX_PROMPT_BYTES),
  links: bytes(MAX_MODEL_POSITIONS * HASH_BYTES),
  end: optional(oneOf(TEXT_ENDS)),
});

/** What `embed` takes in. */
export interface EmbedInput {
  readonly texts: readonly string[];
}

export const embedInputSchema: Schema<EmbedInput> = record<EmbedInput>({
  texts: list(text(MAX_PROMPT_BYTES), MAX_EMBED_TEXTS),
});

/** One vector of length 1 for each text. */
export interface EmbedOutput {
  readonly dimensions: number;
  /** i16 in Q15, little-endian, [texts, dimensions]. */
  readonly vectors: Uint8Array;
  /** Tokens of each text. */
  readonly tokens: readonly number[];
}

export const embedOutputSchema: Schema<EmbedOutput> = where(
  record<EmbedOutput>({
    dimensions: uint(65_535),
    vectors: bytes(MAX_EMBED_TEXTS * 65_535 * 2),
    tokens: list(uint(2 ** 24), MAX_EMBED_TEXTS),
  }),
  ({ dimensions, vectors, tokens }) => vectors.length === 2 * dimensions * tokens.length,
  "embed: has not one vector for each text",
);

/** Task bytes are bounded by MAX_TASK_BYTES, not by the size of a message. */
export function encodeModelData<T>(schema: Schema<T>, value: T): Uint8Array<ArrayBuffer> {
  return encode(schema, value);
}

/** @throws WireError naming what does not fit. */
export function decodeModelData<T>(schema: Schema<T>, data: Uint8Array): T {
  return decode(schema, data, MAX_TASK_BYTES);
}
