import { toHex } from "../../protocol/bytes.ts";
import type { TextEnd } from "../../protocol/messages/model-task.ts";
import type { Verdict } from "../generate/verify.ts";
import { generateText, type TextRequest, transcriptToJson, verifyWith } from "./generate-text.ts";
import type { OpenModel } from "./open-model.ts";

export type TextJob = TextRequest;

export interface LocalText {
  readonly text: string;
  readonly endedBy: TextEnd;
  readonly tokens: { readonly prompt: number; readonly written: number };
  /** Integer multiply-adds, in decimal digits. */
  readonly fuel: string;
  /** Milliseconds until the first token was drawn, and of all after it. */
  readonly prefillMs: number;
  readonly decodeMs: number;
  /** See transcript-json.ts. */
  readonly transcript: unknown;
}

export interface LocalVector {
  /** Of unit length, in Q15: 1 is 32,768. */
  readonly vector: readonly number[];
  readonly tokens: number;
  /** Whether the end of the text is left out. */
  readonly isCut: boolean;
  /** Integer multiply-adds, in decimal digits. */
  readonly fuel: string;
  /** Over the text and its vector, in hexadecimal digits. */
  readonly hash: string;
  readonly encodeMs: number;
}

export type LocalVerdict = Verdict;

/** Bytes at the time when they were the most in all. */
export interface LocalMemory {
  readonly wasmBytes: number;
  readonly gpuBytes: number;
  /** Objects and buffers of JavaScript. */
  readonly heapBytes: number;
}

/** What one model file does for whoever has it, in this realm or in another: all that goes in and out can be passed on. */
export interface LocalModel {
  readonly kind: OpenModel["kind"];
  /** Of its manifest. */
  readonly cid: string;
  /** Bytes of weights, keys and values, and everything else that the backend holds. */
  readonly memoryBytes: number;
  readonly peak: LocalMemory;
  /**
   * Continues a prompt. Only once: the model has then taken positions in.
   * @param onText told each piece of text as soon as no stop text can begin in it
   * @throws RangeError for an encoder or a prompt that does not fit; FailureError; the signal's reason
   */
  write(job: TextJob, onText: (piece: string) => Promise<void> | void): Promise<LocalText>;
  /** @throws RangeError for what is no encoder or a text without tokens; FailureError; the signal's reason */
  encode(text: string, signal?: AbortSignal): Promise<LocalVector>;
  /** @throws FailureError `malformed` for what is no transcript, `content-mismatch` for one of another model */
  verify(transcript: unknown): Promise<LocalVerdict>;
  close(): Promise<void>;
}

/** @param memory what is in use now */
export function localModel(model: OpenModel, memory: () => LocalMemory): LocalModel {
  return new ModelHere(model, memory);
}

class ModelHere implements LocalModel {
  readonly #model: OpenModel;
  readonly #memory: () => LocalMemory;
  #peak: LocalMemory;

  constructor(model: OpenModel, memory: () => LocalMemory) {
    this.#model = model;
    this.#memory = memory;
    this.#peak = memory();
  }

  get kind(): OpenModel["kind"] {
    return this.#model.kind;
  }

  get cid(): string {
    return this.#model.cid;
  }

  get memoryBytes(): number {
    return this.#held.memoryBytes;
  }

  get peak(): LocalMemory {
    return this.#peak;
  }

  async write(job: TextJob, onText: (piece: string) => Promise<void> | void): Promise<LocalText> {
    const model = this.#model;
    if (model.kind !== "llama") throw new RangeError("a sentence encoder writes no text");
    const { text, endedBy, transcript, fuel, prefillMs, decodeMs } = await generateText(
      model,
      job,
      (piece) => {
        this.#look();
        return onText(piece);
      },
    );
    const prompt = transcript.promptTokens;
    const tokens = { prompt, written: transcript.tokens.length - prompt };
    return {
      text,
      endedBy,
      tokens,
      fuel: fuel.toString(),
      prefillMs,
      decodeMs,
      transcript: transcriptToJson(transcript),
    };
  }

  async encode(text: string, signal?: AbortSignal): Promise<LocalVector> {
    const model = this.#model;
    if (model.kind !== "encoder") throw new RangeError("the model writes text, and makes no vectors");
    const begun = performance.now();
    for await (const { vector, tokens, isCut, fuel, link } of model.embedder.embed([text], signal)) {
      const encodeMs = performance.now() - begun;
      this.#look();
      return {
        vector: Array.from(vector),
        tokens: tokens.length,
        isCut,
        fuel: fuel.toString(),
        hash: toHex(link),
        encodeMs,
      };
    }
    throw new Error("an encoder has left out a text");
  }

  async verify(transcript: unknown): Promise<LocalVerdict> {
    if (this.#model.kind !== "llama") throw new RangeError("a sentence encoder writes no transcripts");
    const verdict = await verifyWith(this.#model, transcript);
    this.#look();
    return verdict;
  }

  close(): Promise<void> {
    this.#held.close();
    return Promise.resolve();
  }

  get #held(): { readonly memoryBytes: number; close(): void } {
    return this.#model.kind === "llama" ? this.#model.decoder : this.#model.embedder.encoder;
  }

  #look(): void {
    const now = this.#memory();
    if (total(now) > total(this.#peak)) this.#peak = now;
  }
}

function total({ wasmBytes, gpuBytes, heapBytes }: LocalMemory): number {
  return wasmBytes + gpuBytes + heapBytes;
}
