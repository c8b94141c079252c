import { FailureError } from "../protocol/failure.ts";
import { decodeUtf8, encodeUtf8 } from "../protocol/text.ts";
import { MAX_JSON_DEPTH } from "./limits.ts";

/** Anything that JSON has. */
export type Json = null | boolean | number | string | readonly Json[] | JsonRecord;
export interface JsonRecord {
  readonly [name: string]: Json;
}

export function isJsonRecord(value: Json | undefined): value is JsonRecord {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** JSON.parse gives nothing else. */
function isJson(_value: unknown): _value is Json {
  return true;
}

function print(value: Json, depth: number): string {
  if (depth > MAX_JSON_DEPTH)
    throw new FailureError("effect-failed", `JSON that nests deeper than ${MAX_JSON_DEPTH}`);
  if (Array.isArray(value)) return `[${value.map((each: Json) => print(each, depth + 1)).join()}]`;
  if (typeof value === "string") return JSON.stringify(value.toWellFormed());
  if (!isJsonRecord(value)) return JSON.stringify(value);
  const names = Object.keys(value).toSorted();
  return `{${names.map((name) => `${JSON.stringify(name.toWellFormed())}:${print(value[name] ?? null, depth + 1)}`).join()}}`;
}

/**
 * The one spelling of a JSON value that plans compute with: keys sorted by code unit, no spaces, numbers as ECMAScript writes
 * them. @throws FailureError `effect-failed` for values that nest too deep.
 */
export function canonicalJson(value: Json): Uint8Array<ArrayBuffer> {
  return encodeUtf8(print(value, 0));
}

/** @returns undefined for what is no JSON text in UTF-8 */
export function parseJson(bytes: Uint8Array): Json | undefined {
  try {
    const value: unknown = JSON.parse(decodeUtf8(bytes));
    return isJson(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
