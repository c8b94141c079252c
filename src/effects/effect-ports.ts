import type { EffectRecord } from "../protocol/messages/effect.ts";
import type { PeerId } from "../protocol/peer-id.ts";
import type { Json } from "./canonical-json.ts";

/** One request over HTTP, with everything in it that goes out: secrets too. Nobody writes it down. */
export interface HttpRequest {
  readonly url: URL;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array<ArrayBuffer>;
  /** Of the answer's body; a longer one is broken off. */
  readonly maxBytes: number;
}

export interface HttpAnswer {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array<ArrayBuffer>;
}

/**
 * Makes one request and follows no redirect. Implementations see to it that it goes out without cookies or other credentials of
 * whoever runs them, and, as far as they can, to no private address.
 * @throws FailureError `effect-failed`, `effect-refused`, `output-too-large`, in words that hold nothing of headers or body
 */
export type Exchange = (request: HttpRequest, signal: AbortSignal) => Promise<HttpAnswer>;

/** A value with its version: 1 when it was first put, one more with every change. */
export interface KeptValue {
  readonly version: number;
  readonly value: Json;
}

/** A key-value store of one account, in namespaces. */
export interface KeyValueStore {
  get(namespace: string, key: string): KeptValue | undefined;
  /**
   * Puts a value, or deletes where it is null; only where the version is `ifVersion`, if that is given (0: there is none).
   * @returns the new version (0 after a deletion), or undefined where another version stands there
   * @throws FailureError `too-large` beyond what one account may keep
   */
  put(namespace: string, key: string, value: Json, ifVersion?: number): number | undefined;
  /** Keys with the prefix behind `after`, in order of their UTF-8 bytes, `limit` at most. */
  list(
    namespace: string,
    prefix: string,
    after: string,
    limit: number,
  ): readonly { readonly key: string; readonly version: number }[];
}

/** One question to a node of a chain (JSON-RPC 2.0). @throws FailureError `effect-failed` */
export type ChainCall = (method: string, params: readonly unknown[], signal: AbortSignal) => Promise<unknown>;

/** A value, and what the record says of it besides. */
export interface EffectAnswer extends Pick<EffectRecord, "status" | "block" | "proof"> {
  readonly value: Uint8Array<ArrayBuffer>;
}

/** What a peer can do for others. What is absent, it does not do: such effects are refused. */
export interface EffectPorts {
  /** The session key that signs for what is done here. */
  readonly signer: PeerId;
  /** Milliseconds since 1970. */
  now(): number;
  /** Resolves after so long; rejects with the signal's reason. Ends what takes longer than its capability allows. */
  deadline(ms: number): AbortSignal;
  readonly exchange?: Exchange;
  /** Origins of private networks that whoever runs this has named one by one; all others are refused by their looks. */
  readonly localOrigins?: readonly string[];
  readonly store?: KeyValueStore;
  /** A node of a chain; undefined where none is known. */
  readonly chain?: (chain: string) => ChainCall | undefined;
  /** BLS signature for verifiable randomness: the relay's alone. */
  readonly prove?: (message: Uint8Array) => Uint8Array;
  /** A secret by its name, opened; undefined where none of that name came. */
  readonly secret?: (name: string) => string | undefined;
}
