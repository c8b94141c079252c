import type { Cid } from "../../protocol/cid.ts";
import type { ChatMessage, TextEnd } from "../../protocol/messages/model-task.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import type { PublishedModel } from "../../protocol/relay-api.ts";

/**
 * The gateway's requester: it has jobs done over the mesh for whoever shows an API key. The relay knows it by this port
 * only; who starts the relay gives it one that speaks the requester's public interface.
 */

/** What a requester of the gateway is made of. */
export interface GatewayGround {
  /** Origin of this relay's own HTTP server, as reached from this machine. */
  readonly relay: string;
  /** Seed of the gateway's identity, 32 bytes. */
  readonly seed: Uint8Array;
  /** How long a request waits for a provider where none fits, milliseconds. */
  readonly noProviderTimeoutMs: number;
}

/** Made at the start of the relay; joins the mesh at the first request. */
export type GatewayFactory = (ground: GatewayGround) => GatewayRequester;

/** Which model, and who pays. */
export interface GatewayOrder {
  readonly model: PublishedModel;
  readonly payer: PeerId;
  /** CID of the api-key that lets the gateway spend the payer's money. */
  readonly apiKey: Cid;
  /** Micro-credits that the key and its account have left: no job may set aside more. */
  readonly available: bigint;
}

/** Exactly one of `text` and `messages` is there. */
export interface TextRequest {
  readonly text?: string;
  readonly messages?: readonly ChatMessage[];
  readonly maxTokens: number;
  readonly temperature: number;
  readonly topK: number;
  readonly topP: number;
  /** 32 bytes; drawn when absent. */
  readonly seed?: Uint8Array;
  readonly stop: readonly string[];
}

export interface TextResult {
  readonly end: TextEnd;
  readonly promptTokens: number;
  readonly completionTokens: number;
  /** CIDs of the leases' last receipts, one for each provider that wrote a part. */
  readonly receipts: readonly Cid[];
}

/** A text under way: its pieces as they become final. Who stops iterating cancels it. */
export interface GatewayText extends AsyncIterable<string> {
  readonly job: Cid;
  /** Resolves when the last receipt is logged. */
  readonly result: Promise<TextResult>;
}

export interface GatewayVectors {
  readonly job: Cid;
  /** One for each text, i16 in Q15, of length 1. */
  readonly vectors: readonly Int16Array[];
  /** Tokens of each text. */
  readonly tokens: readonly number[];
  readonly receipts: readonly Cid[];
}

/** @throws FailureError, every function: why the work could not be done; `cancelled` when the signal was aborted. */
export interface GatewayRequester {
  generate(order: GatewayOrder, request: TextRequest, signal: AbortSignal): Promise<GatewayText>;
  embed(order: GatewayOrder, texts: readonly string[], signal: AbortSignal): Promise<GatewayVectors>;
  /** Cancels what is under way and leaves the mesh. Idempotent. */
  close(): Promise<void>;
}
