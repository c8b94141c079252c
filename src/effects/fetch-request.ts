import { fromBase64 } from "../protocol/base64.ts";
import { MAX_EFFECT_REQUEST_BYTES } from "../protocol/limits.ts";
import type { Capability } from "../protocol/messages/effect.ts";
import { encodeUtf8 } from "../protocol/text.ts";
import type { JsonRecord } from "./canonical-json.ts";
import { MAX_HEADER_BYTES, MAX_HEADERS } from "./limits.ts";
import { type FetchRequest, refused, type RequestFields, required } from "./request-fields.ts";

const HEADER_NAME = /^[a-z0-9!#$%&'*+.^_`|~-]{1,64}$/u;
/** Visible characters, spaces and tabs: no line ends, which would begin a header of their own. */
const HEADER_VALUE = /^[\t\x20-\x7e]*$/u;
const SECRET = /\{secret:(?<name>[^{}]*)\}/gu;

/** What belongs to the connection or the browser, and not to whoever asks. */
const OWN_HEADERS = new Set([
  "accept-charset",
  "accept-encoding",
  "access-control-request-headers",
  "access-control-request-method",
  "connection",
  "content-length",
  "cookie",
  "cookie2",
  "date",
  "dnt",
  "expect",
  "forwarded",
  "host",
  "keep-alive",
  "origin",
  "referer",
  "set-cookie",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "via",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-proto",
  "x-http-method-override",
  "x-method-override",
  "x-real-ip",
]);

/** Methods that no browser sends, or that open a tunnel. */
const REFUSED_METHODS = new Set(["CONNECT", "TRACE", "TRACK"]);

/** Names of the secrets that a header's value asks for. */
export function secretsIn(value: string): readonly string[] {
  return [...value.matchAll(SECRET)].map((match) => match.groups?.["name"] ?? "");
}

/** Puts secrets in their places. Afterwards nothing of it may be told to anybody. */
export function withSecrets(value: string, secret: (name: string) => string): string {
  return value.replaceAll(SECRET, (_whole, name: string) => secret(name));
}

function checkHeader({ secrets }: Capability, name: string, value: string): void {
  if (!HEADER_NAME.test(name)) throw refused("a header's name has characters that no header has");
  if (OWN_HEADERS.has(name) || name.startsWith("sec-") || name.startsWith("proxy-"))
    throw refused(`the header ${name} is not the asker's to set`);
  if (!HEADER_VALUE.test(value) || value.length > MAX_HEADER_BYTES)
    throw refused(`the header ${name} has a value that no header has`);
  const named = secretsIn(value);
  const unknown = named.find((each) => !secrets.includes(each));
  if (unknown !== undefined) throw refused(`the capability does not name the secret ${unknown.slice(0, 64)}`);
  // In the request it would stand in receipts and records for good.
  if (name === "authorization" && named.length === 0)
    throw refused("the header authorization holds a {secret:NAME} and nothing in the clear");
}

function headersOf(capability: Capability, given: JsonRecord): Record<string, string> {
  const headers: Record<string, string> = {};
  const entries = Object.entries(given);
  if (entries.length > MAX_HEADERS) throw refused(`more than ${MAX_HEADERS} headers`);
  for (const [spelled, value] of entries) {
    const name = spelled.toLowerCase();
    if (typeof value !== "string") throw refused("a header's value is not a text");
    if (Object.hasOwn(headers, name)) throw refused(`the header ${name} is there twice`);
    checkHeader(capability, name, value);
    headers[name] = value;
  }
  return headers;
}

function urlOf({ origins }: Capability, fields: RequestFields): URL {
  const text = required(fields.text("url", 8_192), "url");
  const url = URL.parse(text);
  if (url === null || (url.protocol !== "https:" && url.protocol !== "http:"))
    throw refused(`"url" is not a web address`);
  if (url.username !== "" || url.password !== "") throw refused(`"url" has a name or password in it`);
  if (secretsIn(text).length > 0) throw refused("secrets stand in headers alone");
  if (!origins.includes(url.origin)) throw refused(`the capability does not name the origin ${url.origin}`);
  // Nobody is sent it, and it would say nothing.
  url.hash = "";
  return url;
}

function bodyOf(fields: RequestFields): Uint8Array<ArrayBuffer> | undefined {
  const text = fields.text("body", MAX_EFFECT_REQUEST_BYTES);
  const base64 = fields.text("bodyBase64", MAX_EFFECT_REQUEST_BYTES);
  if (text !== undefined && base64 !== undefined) throw refused("a request has one body");
  if (base64 === undefined) return text === undefined ? undefined : encodeUtf8(text);
  const bytes = fromBase64(base64);
  if (bytes === undefined) throw refused(`"bodyBase64" is not base64`);
  return bytes.slice();
}

export function readFetch(capability: Capability, fields: RequestFields): FetchRequest {
  const method = fields.text("method", 16) ?? "GET";
  if (!capability.methods.includes(method))
    throw refused(`the capability does not name the method ${method}`);
  if (REFUSED_METHODS.has(method)) throw refused(`nobody is asked with ${method}`);
  const body = bodyOf(fields);
  if (body !== undefined && (method === "GET" || method === "HEAD")) throw refused(`a ${method} has no body`);
  return {
    kind: "fetch",
    url: urlOf(capability, fields),
    method,
    headers: headersOf(capability, fields.record("headers") ?? {}),
    as: fields.oneOf("as", ["bytes", "text", "json", "response"]) ?? "bytes",
    ...(body === undefined ? {} : { body }),
  };
}
