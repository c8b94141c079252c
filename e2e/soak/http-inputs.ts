import { cidOf, RAW } from "../../src/protocol/cid.ts";
import { MESSAGE_TYPE } from "../../src/protocol/relay-api.ts";
import { encodeUtf8 } from "../../src/protocol/text.ts";
import type { Draw } from "./chance.ts";
import type { Operation, Parameter } from "./http-operations.ts";
import { type MessageMaker, oneOf } from "./message-maker.ts";
import { mutate } from "./mutate.ts";
import { mutateJson } from "./mutate-json.ts";

/** How a request reaches the relay: at once; in chunks; slowly; not to its end; as bytes that are hardly HTTP. */
export type Manner = "whole" | "chunks" | "slow" | "partial" | "raw";

export interface HttpInput {
  /** What it was made from; undefined for a path that nobody documented. */
  readonly operation: Operation;
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | undefined;
  readonly manner: Manner;
}

/** Requests that the relay has answered well, the newest of each operation. */
export interface Sample {
  readonly path: string;
  readonly body: Uint8Array | undefined;
  readonly headers: Readonly<Record<string, string>>;
}

const KEPT_SAMPLES = 32;
const METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND", "SEARCH"] as const;
const TYPES = [
  MESSAGE_TYPE,
  "application/json",
  "application/octet-stream",
  "text/plain",
  "",
  "a/b;charset=\u00ff",
];
const ODD_TEXTS = [
  "",
  "0",
  "-1",
  "00",
  "1e3",
  "9007199254740993",
  "18446744073709551616",
  "constructor",
  "__proto__",
  "..",
  "../../etc/passwd",
  "%00",
  "\u00e9\ud83d\ude00",
  "x".repeat(3_000),
  "a b",
  "000.p/3",
  "0/x001/x234/567",
  "0/000",
  "0/000.p/1",
  "entries/000.p/2",
  "bafkreia",
  "12D3KooW",
];
const HEADERS: readonly (readonly [string, readonly string[]])[] = [
  ["accept", ["text/html", "*/*", "text/event-stream", "x"]],
  ["accept-encoding", ["gzip", "br, identity;q=0", "x"]],
  ["authorization", ["Bearer", "Bearer x", "Basic eDp4", `Bearer ${"x".repeat(5_000)}`]],
  ["content-encoding", ["gzip", "x"]],
  ["expect", ["x"]],
  ["if-none-match", ["*", '"x"']],
  ["last-event-id", ["0", "1", "-1", "99999999999999999", "x"]],
  ["origin", ["null", "https://example.org"]],
  ["access-control-request-method", ["PUT", "x"]],
  ["range", ["bytes=0-0", "bytes=5-1", "bytes=-1", "x"]],
  ["x-forwarded-for", ["1.2.3.4", "::1, 10.0.0.1", "x", ",,,", "1.2.3.4:5"]],
  ["cookie", ["a=b"]],
];

/** Texts that may stand in a path as they are; Node's own client sends no others. */
function forPath(text: string, by: Draw): string {
  if (by(6) === 0) return text.replaceAll(/[^!-~]/gu, "").replaceAll(/[?#]/gu, "");
  const encoded = encodeURIComponent(text.toWellFormed());
  return by(2) === 0 ? encoded : encoded.replaceAll("%2F", "/");
}

/** Makes requests from what the relay says of its operations, and from requests that it has answered well. */
export class HttpInputs {
  readonly #operations: readonly Operation[];
  readonly #maker: MessageMaker;
  readonly #samples = new Map<string, Sample[]>();
  /** What stands for a name in a path or a query: names of models and the like. */
  readonly names: string[] = ["a model"];
  /** Credentials that are known to the relay. */
  readonly keys: string[] = [];

  constructor(operations: readonly Operation[], maker: MessageMaker) {
    this.#operations = operations;
    this.#maker = maker;
  }

  /** Remembers a request that was answered well. */
  learn(operation: string, sample: Sample): void {
    const known = this.#samples.get(operation) ?? [];
    this.#samples.set(operation, [...known, sample].slice(-KEPT_SAMPLES));
    if (sample.body !== undefined) this.#maker.learn(sample.body);
  }

  async make(by: Draw): Promise<HttpInput> {
    const operation = oneOf(this.#operations, by);
    const samples = this.#samples.get(operation.name) ?? [];
    const sample = samples.length === 0 ? undefined : oneOf(samples, by);
    const body = await this.#body(operation, sample, by);
    const method = by(25) === 0 ? oneOf(METHODS, by) : operation.method;
    const path = this.#path(operation, sample, body, by) + this.#query(operation, by);
    const manner = this.#manner(by);
    const bare = method === "GET" || method === "HEAD";
    return {
      operation,
      method,
      path,
      headers: this.#headers(operation, sample, by),
      body: bare && by(15) > 0 ? undefined : body,
      manner,
    };
  }

  #manner(by: Draw): Manner {
    const at = by(400);
    if (at < 4) return "raw";
    if (at < 7) return "partial";
    if (at < 10) return "slow";
    return at < 40 ? "chunks" : "whole";
  }

  #path(operation: Operation, sample: Sample | undefined, body: Uint8Array | undefined, by: Draw): string {
    if (sample !== undefined && by(3) === 0) return sample.path;
    const names = new Map(operation.parameters.map((each) => [each.name, each]));
    const path = operation.path.replaceAll(/\{(\w+)\}/gu, (_, name: string) => {
      // Raw bytes go where their own hash leads.
      const fits = operation.method === "PUT" && body !== undefined && by(3) > 0;
      if (fits) return cidOf(RAW, body);
      return forPath(this.#value(names.get(name), by), by);
    });
    if (by(40) > 0) return path;
    const cut = by(path.length + 1);
    return `/${path.slice(1, cut)}${forPath(oneOf(ODD_TEXTS, by), by)}${by(2) === 0 ? path.slice(cut) : ""}`;
  }

  #value(parameter: Parameter | undefined, by: Draw): string {
    if (by(4) === 0) return oneOf(ODD_TEXTS, by);
    const schema = parameter?.schema ?? {};
    if (schema.enum !== undefined) return String(oneOf(schema.enum, by));
    if (schema.type === "integer") return String(oneOf([0, 1, 2, 7, by(300), by(100_000)], by));
    const kinds = [
      () => this.#maker.cids.one(by),
      () => this.#maker.peers.one(by),
      () => oneOf(this.names, by),
    ];
    const described = JSON.stringify(schema);
    // The document says of a text what it stands for.
    if (described.includes("CIDv1")) return (by(4) > 0 ? kinds[0] : oneOf(kinds, by))?.() ?? "";
    if (described.includes("peer id")) return (by(4) > 0 ? kinds[1] : oneOf(kinds, by))?.() ?? "";
    return oneOf(kinds, by)() ?? "";
  }

  #query(operation: Operation, by: Draw): string {
    const query = new URLSearchParams();
    for (const parameter of operation.parameters)
      if (parameter.in === "query" && (parameter.required === true || by(2) === 0) && by(10) > 0)
        query.append(parameter.name, this.#value(parameter, by).toWellFormed());
    if (by(25) === 0) query.append(oneOf(ODD_TEXTS, by), oneOf(ODD_TEXTS, by));
    const text = query.toString();
    return text === "" ? "" : `?${text}`;
  }

  #headers(operation: Operation, sample: Sample | undefined, by: Draw): Readonly<Record<string, string>> {
    const headers: Record<string, string> = { ...sample?.headers };
    const [right] = operation.takes;
    if (right !== undefined) headers["content-type"] = by(8) > 0 ? right : oneOf(TYPES, by);
    // Whoever has a key has real work asked for, which waits seconds for a provider: a few at a time.
    if (this.keys.length > 0 && operation.takes.includes("application/json") && by(20) === 0)
      headers["authorization"] = `Bearer ${oneOf(this.keys, by)}`;
    for (let left = by(8) === 0 ? 1 + by(3) : 0; left > 0; left -= 1) {
      const [name, values] = oneOf(HEADERS, by);
      headers[name] = oneOf(values, by);
    }
    return headers;
  }

  async #body({ takes }: Operation, sample: Sample | undefined, by: Draw): Promise<Uint8Array | undefined> {
    if (takes.length === 0) return by(20) === 0 ? this.#bytes(by) : undefined;
    if (by(60) === 0) return by(2) === 0 ? this.#bytes(by) : undefined;
    if (takes.includes("application/json")) return this.#json(sample, by);
    if (takes.includes(MESSAGE_TYPE)) return this.#message(sample, by);
    return this.#bytes(by);
  }

  #bytes(by: Draw): Uint8Array {
    const length = oneOf([0, 1, 100, 5_000, by(70_000)], by);
    return new Uint8Array(length).fill(by(256));
  }

  #json(sample: Sample | undefined, by: Draw): Uint8Array {
    const bytes = sample?.body ?? encodeUtf8("{}");
    const way = by(10);
    if (way === 0) return bytes;
    if (way === 1) return mutate(bytes, this.#bytes(by), by);
    return Buffer.from(JSON.stringify(mutateJson(JSON.parse(Buffer.from(bytes).toString()), by)) ?? "");
  }

  async #message(sample: Sample | undefined, by: Draw): Promise<Uint8Array> {
    const body = sample?.body;
    switch (body === undefined ? by(3) : by(10)) {
      case 0:
        return this.#maker.fresh(oneOf(this.#maker.types, by), by);
      case 1:
        return this.#maker.envelopes.one(by) ?? this.#bytes(by);
      case 2:
        return mutate(this.#maker.envelopes.one(by) ?? this.#bytes(by), this.#bytes(by), by);
      case 3:
        return body ?? this.#bytes(by);
      case 4:
      case 5:
        return mutate(body ?? this.#bytes(by), this.#maker.envelopes.one(by) ?? this.#bytes(by), by);
      default:
        return this.#maker.altered(body ?? this.#bytes(by), by);
    }
  }
}
