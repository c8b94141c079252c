import type { Cid } from "../protocol/cid.ts";
import type { ChatMessage, TextEnd } from "../protocol/messages/model-task.ts";
import type { ModelManifest } from "../protocol/model-manifest.ts";
import type { PeerId } from "../protocol/peer-id.ts";
import type { MicroCredits } from "../protocol/units.ts";
import type { JobOptions, JobSummary } from "./job-options.ts";

/** A model, by its name at the relay or by CID. */
export interface NamedModel {
  /** Of its manifest: what jobs, receipts and transcripts name. */
  readonly cid: Cid;
  readonly manifest: ModelManifest;
}

/** How a job of a model is carried out and paid. */
export interface ModelJobOptions extends Pick<
  JobOptions,
  | "fuel"
  | "outputBytes"
  | "deadlineMs"
  | "parallel"
  | "cap"
  | "tariffMax"
  | "noProviderTimeoutMs"
  | "signal"
  | "onProgress"
> {
  /** Who pays, where it is not the requester. */
  readonly payer?: JobPayer;
}

/** Another account that pays, and by which of its api-keys; the relay decides whether this requester may name it. */
export interface JobPayer {
  readonly account: PeerId;
  /** CID of the api-key. */
  readonly apiKey: Cid;
  /** Micro-credits that key and account have left: no more is set aside. */
  readonly available: MicroCredits;
}

/** What is to be written. Exactly one of `text` and `messages` is there. */
export interface GenerateRequest {
  /** A text to go on with, as it is. */
  readonly text?: string;
  /** A conversation, which the model's own template turns into a prompt. */
  readonly messages?: readonly ChatMessage[];
  /** Tokens to write at most. Default 256; never more than the model's context. */
  readonly maxTokens?: number;
  /** 0, the default, takes the most likely token each time; more draws more freely, up to 100. */
  readonly temperature?: number;
  /** Draws from so many of the most likely tokens; 0, the default, from all. */
  readonly topK?: number;
  /** Draws from the most likely tokens that make up this share of the probability, 0 to 1. Default 1. */
  readonly topP?: number;
  /** 32 bytes that the drawing follows from: the same seed writes the same text. Default random. */
  readonly seed?: Uint8Array;
  /** Texts before which the answer ends, at most 16. */
  readonly stop?: readonly string[];
}

/** A piece of text that is final: the provider has signed for it. */
export interface GenerationPiece {
  readonly text: string;
  /** Tokens it comes from. */
  readonly tokens: readonly number[];
  readonly provider: PeerId;
}

/** What anybody needs to recompute a text and to say at which position it differs. */
export interface TextTranscript {
  /** CID of the model's manifest. */
  readonly model: Cid;
  /** The prompt's and those written. */
  readonly tokens: readonly number[];
  /** How many of `tokens` are the prompt's. */
  readonly promptTokens: number;
  readonly sampling: {
    readonly temperatureMilli: number;
    readonly topK: number;
    readonly topPMilli: number;
    readonly seed: Uint8Array;
  };
  /** One chained hash of 32 bytes for each position that was taken in (docs/numerics.md). */
  readonly links: readonly Uint8Array[];
}

export interface GenerationResult {
  readonly text: string;
  /** Why it ended. */
  readonly end: TextEnd;
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly transcript: TextTranscript;
  /** Who wrote it, in their order: more than one where one left on the way. */
  readonly providers: readonly PeerId[];
  /** Receipts and what they cost. */
  readonly summary: JobSummary;
}

/** A text under way: iterate over it for its pieces. Who stops iterating cancels it. */
export interface Generation extends AsyncIterable<GenerationPiece> {
  /** Resolves when the job is signed. */
  readonly job: Promise<Cid>;
  /** Resolves after the last receipt is logged and the rest refunded. Rejects with the failure, `cancelled` among them. */
  readonly result: Promise<GenerationResult>;
  /** What it has cost, also of a text that was cancelled. */
  readonly summary: Promise<JobSummary>;
  /** Ends it at the provider within moments; what is not spent is refunded. */
  cancel(): void;
}

export interface Embeddings {
  /** One for each text, in their order, of length 1: i16 in Q15. */
  readonly vectors: readonly Int16Array[];
  readonly dimensions: number;
  /** Tokens of each text that were taken in. */
  readonly tokens: readonly number[];
  /** Who computed the vector of each text. */
  readonly providers: readonly PeerId[];
  readonly summary: JobSummary;
}
