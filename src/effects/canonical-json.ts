import { type JsonRules, printCanonical } from "../protocol/canonical-json.ts";
import { FailureError } from "../protocol/failure.ts";
import { decodeUtf8, encodeUtf8 } from "../protocol/text.ts";

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

/** What servers say may hold half a character. */
const RULES: JsonRules = {
  text: (value) => value.toWellFormed(),
  refuse(detail): never {
    throw new FailureError("effect-failed", detail);
  },
};

/** A value's canonical spelling, in UTF-8. @throws FailureError `effect-failed` for values that nest deeper than MAX_JSON_DEPTH. */
export function canonicalJson(value: Json): Uint8Array<ArrayBuffer> {
  return encodeUtf8(printCanonical(value, RULES));
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
