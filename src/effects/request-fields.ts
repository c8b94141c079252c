import { FailureError } from "../protocol/failure.ts";
import { encodeUtf8 } from "../protocol/text.ts";
import { isJsonRecord, type Json, type JsonRecord } from "./canonical-json.ts";

/** A request of a fetch, checked against its capability. */
export interface FetchRequest {
  readonly kind: "fetch";
  readonly url: URL;
  readonly method: string;
  /** Lower-case names; "{secret:NAME}" in a value stands for a secret. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array<ArrayBuffer>;
  /** What becomes the value: the body as it is, or whole answer with status and headers. */
  readonly as: "bytes" | "text" | "json" | "response";
}

export interface KeyRead {
  readonly kind: "kv-get";
  readonly key: string;
}

export interface KeyWrite {
  readonly kind: "kv-put";
  readonly key: string;
  /** `null` deletes. */
  readonly value: Json;
  /** Only where the key has this version now; 0: where there is none. */
  readonly ifVersion?: number;
}

export interface KeyList {
  readonly kind: "kv-list";
  readonly prefix: string;
  /** Keys behind this one. */
  readonly after: string;
  readonly limit: number;
}

/** A block by its number, or what the chain calls so when it is asked. */
export type BlockName = number | "latest" | "finalized";

export interface ChainRead {
  readonly kind: "evm-read";
  readonly chain: string;
  readonly read:
    | { readonly method: "block"; readonly block: BlockName }
    | { readonly method: "call"; readonly to: string; readonly data: string; readonly block: BlockName }
    | {
        readonly method: "call";
        readonly to: string;
        /** As Solidity declares it: "function balanceOf(address) view returns (uint256)". */
        readonly signature: string;
        readonly args: readonly Json[];
        readonly block: BlockName;
      }
    | {
        readonly method: "logs";
        readonly address: string;
        readonly topics: readonly (string | null)[];
        readonly fromBlock: number;
        readonly toBlock: number;
      };
}

export interface RandomRequest {
  readonly kind: "random";
  readonly bytes: number;
  /** Signed by the relay, so that not even whoever began the run could choose it. */
  readonly isVerifiable: boolean;
}

export type EffectRequest =
  | FetchRequest
  | KeyRead
  | KeyWrite
  | KeyList
  | ChainRead
  | RandomRequest
  | { readonly kind: "time" };

export function refused(detail: string): FailureError {
  return new FailureError("effect-refused", detail);
}

/** The fields of a request: each is named, and none besides those that are asked for may be there. */
export class RequestFields {
  readonly #json: JsonRecord;
  readonly #known = new Set<string>();

  constructor(json: JsonRecord) {
    this.#json = json;
  }

  any(name: string): Json | undefined {
    this.#known.add(name);
    return Object.hasOwn(this.#json, name) ? this.#json[name] : undefined;
  }

  text(name: string, maxBytes: number): string | undefined {
    const value = this.any(name);
    if (value === undefined) return undefined;
    if (typeof value !== "string" || !value.isWellFormed()) throw refused(`"${name}" is not a text`);
    if (encodeUtf8(value).length > maxBytes) throw refused(`"${name}" is longer than ${maxBytes} bytes`);
    return value;
  }

  count(name: string, least: number, most: number): number | undefined {
    const value = this.any(name);
    if (value === undefined) return undefined;
    if (typeof value !== "number" || !Number.isSafeInteger(value) || value < least || value > most)
      throw refused(`"${name}" is not a whole number from ${least} to ${most}`);
    return value;
  }

  flag(name: string): boolean | undefined {
    const value = this.any(name);
    if (value !== undefined && typeof value !== "boolean") throw refused(`"${name}" is not true or false`);
    return value;
  }

  record(name: string): JsonRecord | undefined {
    const value = this.any(name);
    if (value !== undefined && !isJsonRecord(value)) throw refused(`"${name}" is not an object`);
    return value;
  }

  list(name: string): readonly Json[] | undefined {
    const value = this.any(name);
    if (value === undefined) return undefined;
    if (!Array.isArray(value)) throw refused(`"${name}" is not a list`);
    return value;
  }

  oneOf<const W extends string>(name: string, words: readonly W[]): W | undefined {
    const value = this.any(name);
    if (value === undefined) return undefined;
    const word = words.find((each) => each === value);
    if (word === undefined) throw refused(`"${name}" is none of ${words.join(", ")}`);
    return word;
  }

  /** @throws FailureError when a field is there that nobody asked for: a misspelt one would do nothing. */
  end(): void {
    const unknown = Object.keys(this.#json).find((name) => !this.#known.has(name));
    if (unknown !== undefined) throw refused(`a request has no field "${unknown.slice(0, 64)}"`);
  }
}

export function required<T>(value: T | undefined, name: string): T {
  if (value === undefined) throw refused(`"${name}" is missing`);
  return value;
}
