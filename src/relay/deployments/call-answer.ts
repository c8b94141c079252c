import { typesOf } from "../../plan/check.ts";
import type { Plan } from "../../plan/plan.ts";
import type { ValueType } from "../../plan/value-type.ts";
import { toBase64 } from "../../protocol/base64.ts";
import { decodeUtf8 } from "../../protocol/text.ts";
import { fieldsOfJson } from "./run-params.ts";

/** What a caller is answered. */
export interface CallAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | string;
}

/** What a plan may say of its answer. Nothing among these speaks of cookies, of other places, or of what a page may do. */
const OWN_HEADERS: ReadonlySet<string> = new Set([
  "content-type",
  "content-language",
  "content-disposition",
  "cache-control",
  "etag",
  "last-modified",
]);
const RESPONSE_FIELDS: ReadonlySet<string> = new Set(["status", "headers", "body", "base64"]);
/** Statuses that a body may go with, and that lead nowhere else. */
const LEAST_STATUS = 200;
const MOST_STATUS = 599;
/** Parts of such an answer would each have headers of their own, and it may have no end. */
const MULTIPART = /multipart\//iu;
const VISIBLE = /^[\t\u0020-\u007E]{0,1024}$/u;

/** The type of what a plan comes to. */
export function resultType(plan: Plan): ValueType {
  const { result, params } = plan.graph;
  if (result.from === "node") return typesOf(plan).get(result.node) ?? { type: "json" };
  return result.from === "param" ? (params[result.param] ?? { type: "json" }) : { type: "json" };
}

function isResponse(fields: Readonly<Record<string, unknown>>): boolean {
  const { status } = fields;
  return (
    Object.keys(fields).every((name) => RESPONSE_FIELDS.has(name)) &&
    typeof status === "number" &&
    Number.isInteger(status) &&
    status >= LEAST_STATUS &&
    status <= MOST_STATUS &&
    Math.floor(status / 100) !== 3
  );
}

function isOwn(name: string, text: string): boolean {
  return OWN_HEADERS.has(name) && VISIBLE.test(text) && !(name === "content-type" && MULTIPART.test(text));
}

function headersIn(value: unknown): Readonly<Record<string, string>> {
  const given = Object.entries(fieldsOfJson(value)).map(
    ([name, text]) => [name.toLowerCase(), text] as const,
  );
  return Object.fromEntries(
    given.flatMap(([name, text]) => (typeof text === "string" && isOwn(name, text) ? [[name, text]] : [])),
  );
}

/** Of `{status, headers, body}` or `{status, headers, base64}`. */
function asResponse({ status, headers, body, base64 }: Readonly<Record<string, unknown>>): CallAnswer {
  const isText = typeof body === "string";
  const content =
    typeof base64 === "string" ? Buffer.from(base64, "base64") : isText ? body : JSON.stringify(body ?? null);
  const type =
    typeof base64 === "string"
      ? "application/octet-stream"
      : isText
        ? "text/plain; charset=utf-8"
        : "application/json";
  return { status: Number(status), headers: { "content-type": type, ...headersIn(headers) }, body: content };
}

/**
 * A result as an answer: text as text, bytes as bytes, JSON as JSON; an object with a `status` and nothing but `headers` and a `body`
 * beside it is an answer of its own.
 */
export function answerOf(type: ValueType, result: Uint8Array): CallAnswer {
  if (type.type === "text")
    return { status: 200, headers: { "content-type": "text/plain; charset=utf-8" }, body: result };
  if (type.type === "bytes")
    return { status: 200, headers: { "content-type": "application/octet-stream" }, body: result };
  const fields = fieldsOfJson(JSON.parse(decodeUtf8(result)));
  if (isResponse(fields)) return asResponse(fields);
  return { status: 200, headers: { "content-type": "application/json" }, body: result };
}

/**
 * One element of a list as a line of JSON. Printed anew: what a provider wrote may have lines of its own, which would be read as further
 * elements or events. @param bytes as the value of a step @throws SyntaxError for what is no JSON and should be
 */
export function elementLine(type: ValueType, bytes: Uint8Array): string {
  if (type.type === "bytes") return JSON.stringify(toBase64(bytes));
  const text = decodeUtf8(bytes);
  const value: unknown = type.type === "text" ? text : JSON.parse(text);
  return JSON.stringify(value);
}
