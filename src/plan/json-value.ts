import { type JsonRules, MAX_JSON_DEPTH, printCanonical } from "../protocol/canonical-json.ts";
import { FailureError } from "../protocol/failure.ts";

/** Data of a run as it is computed with: JSON, and bytes. */
export type Value = null | boolean | number | string | Uint8Array | readonly Value[] | ValueRecord;
export interface ValueRecord {
  readonly [name: string]: Value;
}

export function isBytes(value: Value): value is Uint8Array {
  return value instanceof Uint8Array;
}

export function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}

export function isRecord(value: Value): value is ValueRecord {
  return typeof value === "object" && value !== null && !isList(value) && !isBytes(value);
}

/** What a value is, for a complaint. */
export function kindOf(value: Value): string {
  if (value === null) return "nothing";
  if (isBytes(value)) return "bytes";
  if (isList(value)) return "a list";
  if (isRecord(value)) return "a record";
  return typeof value === "boolean" ? "true or false" : `a ${typeof value === "string" ? "text" : "number"}`;
}

function fail(detail: string): never {
  throw new FailureError("expression-failed", detail);
}

const RULES: JsonRules = {
  text: (value) => (value.isWellFormed() ? value : fail("a text holds half a character")),
  refuse: fail,
};

/** A value's canonical spelling. @throws FailureError `expression-failed` for what JSON does not have. */
export function canonicalJson(value: Value): string {
  return printCanonical(value, RULES);
}

/** JSON.parse gives nothing else. */
function isValue(value: unknown): value is Value {
  return value !== undefined;
}

function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (quoted) {
      if (code === 0x5c) at += 1;
      else if (code === 0x22) quoted = false;
    } else if (code === 0x22) quoted = true;
    else if (code === 0x5b || code === 0x7b) deepest = Math.max(deepest, (depth += 1));
    else if (code === 0x5d || code === 0x7d) depth -= 1;
  }
  return deepest;
}

/** Any JSON text. @throws FailureError `expression-failed` when it is none, or nests deeper than MAX_JSON_DEPTH. */
export function parseJson(text: string): Value {
  if (depthOf(text) > MAX_JSON_DEPTH) return fail(`JSON nests deeper than ${MAX_JSON_DEPTH}`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return fail("the text is not JSON");
  }
  return isValue(value) ? value : fail("the text is not JSON");
}

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

/** UTF-8 of bytes. @throws FailureError `expression-failed` */
export function textOf(bytes: Uint8Array): string {
  try {
    return strict.decode(bytes);
  } catch {
    return fail("the bytes are not UTF-8 text");
  }
}

/** @throws FailureError `expression-failed` for half a character. */
export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return text.isWellFormed() ? encoder.encode(text) : fail("a text holds half a character");
}
