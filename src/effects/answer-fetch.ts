import { toBase64 } from "../protocol/base64.ts";
import { FailureError } from "../protocol/failure.ts";
import type { Capability } from "../protocol/messages/effect.ts";
import { decodeUtf8 } from "../protocol/text.ts";
import { canonicalJson, type JsonRecord, parseJson } from "./canonical-json.ts";
import type { EffectAnswer, EffectPorts, HttpAnswer } from "./effect-ports.ts";
import { withSecrets } from "./fetch-request.ts";
import { MAX_HEADER_BYTES } from "./limits.ts";
import { isLocalHost } from "./public-address.ts";
import { type FetchRequest, refused } from "./request-fields.ts";

/** Headers of an answer that are told: what says how to read it, and nothing that belongs to a session. */
const TOLD_HEADERS = [
  "cache-control",
  "content-language",
  "content-type",
  "etag",
  "expires",
  "last-modified",
  "link",
  "retry-after",
];

/** @throws FailureError `effect-refused` for what leads, by its looks, into a private network, or goes out in the clear */
export function requireReachable(url: URL, localOrigins: readonly string[]): void {
  if (localOrigins.includes(url.origin)) return;
  if (isLocalHost(url)) throw refused(`${url.origin} is an address of a private network`);
  if (url.protocol !== "https:") throw refused(`${url.origin} is not encrypted: only https is asked`);
}

function headersOf({ headers }: FetchRequest, secret: (name: string) => string): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, withSecrets(value, secret)]),
  );
}

function textOf(body: Uint8Array, origin: string): string {
  try {
    return decodeUtf8(body);
  } catch {
    throw new FailureError("effect-failed", `${origin} answered with what is no text in UTF-8`);
  }
}

/** The whole answer as data: a body that is no text comes in base64. */
function responseOf({ status, headers, body }: HttpAnswer): Uint8Array<ArrayBuffer> {
  const told = TOLD_HEADERS.filter((name) => headers[name] !== undefined).map((name) => [
    name,
    headers[name]?.slice(0, MAX_HEADER_BYTES),
  ]);
  let content: JsonRecord;
  try {
    content = { body: decodeUtf8(body) };
  } catch {
    content = { bodyBase64: toBase64(body) };
  }
  return canonicalJson({ status, headers: Object.fromEntries(told), ...content });
}

function valueOf({ as, url }: FetchRequest, answer: HttpAnswer): Uint8Array<ArrayBuffer> {
  if (as === "response") return responseOf(answer);
  const { status, body } = answer;
  if (status < 200 || status > 299)
    throw new FailureError("effect-failed", `${url.origin} answered ${status}`);
  switch (as) {
    case "bytes":
      return body;
    case "text":
      textOf(body, url.origin);
      return body;
    case "json": {
      const json = parseJson(body);
      if (json === undefined)
        throw new FailureError("effect-failed", `${url.origin} answered with what is no JSON`);
      return canonicalJson(json);
    }
    default:
      return as satisfies never;
  }
}

/** Asks a web server. @throws FailureError as performEffect */
export async function answerFetch(
  request: FetchRequest,
  { maxBytes }: Capability,
  { exchange, localOrigins = [], secret }: EffectPorts,
  signal: AbortSignal,
): Promise<EffectAnswer> {
  const { url, method, body } = request;
  if (exchange === undefined) throw refused("this peer fetches nothing for others");
  requireReachable(url, localOrigins);
  const headers = headersOf(request, (name) => {
    const value = secret?.(name);
    if (value === undefined) throw refused(`the secret ${name} was not sealed to this peer`);
    return value;
  });
  const asked = { url, method, headers, maxBytes, ...(body === undefined ? {} : { body }) };
  const answer = await exchange(asked, signal);
  return { value: valueOf(request, answer), status: answer.status };
}
