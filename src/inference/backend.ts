import type { EncoderModel } from "./model/encoder-model.ts";
import type { LlamaModel } from "./model/llama-model.ts";

/** One way to compute models. All of them give the same bits. */
export interface Backend {
  readonly name: "reference" | "wasm" | "webgpu";
  /**
   * Makes a model ready to run.
   * @throws FailureError `no-memory` where it does not fit, `gpu-lost` where the device went away
   */
  open(model: LlamaModel): Promise<Decoder>;
}

/** What is still told of a model that is open; its weights may have moved elsewhere. */
export type OpenedModel = Pick<LlamaModel, "shape" | "exp2Table">;

/** How calls of a decoder may overlap. */
export interface Overlap {
  /** Calls under way at once that keep all of it busy. */
  readonly calls: number;
  /** Tokens of each call of `forward`. */
  readonly tokens: number;
}

/** One sequence of positions through one model. Calls come one after the other, unless it says otherwise. */
export interface Decoder {
  readonly model: OpenedModel;
  /** Positions taken in so far. */
  readonly positions: number;
  /** Bytes of weights, keys and values, and everything else that it holds. */
  readonly memoryBytes: number;
  /**
   * Given where a call may begin before those before it have ended. It counts on them: where one fails, all that are under
   * way fail with it, and none of their tokens is taken in.
   */
  readonly overlap?: Overlap;
  /**
   * Takes in tokens at the next positions; how they are split over calls changes no bit.
   * @returns the residual stream after the last layer, i32[tokens, width] in Q16
   * @param signal ends it within 100 ms; then nothing is taken in
   * @throws RangeError for a token beyond the vocabulary, or a position beyond the context; FailureError `gpu-lost`;
   * the signal's reason
   */
  forward(tokens: readonly number[], signal?: AbortSignal): Promise<Int32Array>;
  /** Scores of all tokens, i32[rows, vocabulary] in Q14. @param hidden rows of what `forward` returned, i32[rows, width] */
  logits(hidden: Int32Array, signal?: AbortSignal): Promise<Int32Array>;
  /**
   * The token of the largest score of each row, the lowest among equals, for less than all scores cost.
   * @param guesses a token per row: right ones make it faster, and wrong ones change nothing
   */
  likeliest?(hidden: Int32Array, guesses: readonly number[], signal?: AbortSignal): Promise<Int32Array>;
  /** Forgets the positions from `count` on. */
  rewind(count: number): void;
  close(): void;
}

/** One way to compute sentence encoders. All of them give the same bits. */
export interface EncoderBackend {
  readonly name: Backend["name"];
  /**
   * Makes an encoder ready to run.
   * @throws FailureError `no-memory` where it does not fit, `gpu-lost` where the device went away
   */
  openEncoder(model: EncoderModel): Promise<Encoder>;
}

/** What is still told of an encoder that is open; its weights may have moved elsewhere. */
export type OpenedEncoder = Pick<EncoderModel, "shape">;

/** Turns texts into vectors, each by itself. Calls come one after the other. */
export interface Encoder {
  readonly model: OpenedEncoder;
  /** Bytes of weights and everything else that it holds. */
  readonly memoryBytes: number;
  /**
   * Encodes texts; which of them come together, and in which order, changes no bit.
   * @param texts tokens of each; those beyond the context are left out
   * @param signal ends it within 100 ms
   * @returns a row of unit length for each text, i16[output] in Q15, at most ±32,767
   * @throws RangeError for a text without tokens or a token beyond the vocabulary, and nothing is computed then;
   * FailureError `gpu-lost`; the signal's reason
   */
  encode(texts: readonly (readonly number[])[], signal?: AbortSignal): Promise<readonly Int16Array[]>;
  close(): void;
}
