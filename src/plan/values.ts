import { fromBase64, toBase64 } from "../protocol/base64.ts";
import { FailureError } from "../protocol/failure.ts";
import {
  bytesOf,
  canonicalJson,
  isBytes,
  isList,
  isRecord,
  kindOf,
  parseJson,
  textOf,
  type Value,
  type ValueRecord,
} from "./json-value.ts";
import { printType } from "./text/type-text.ts";
import type { ValueType } from "./value-type.ts";

/**
 * Values between steps are bytes; their type says how. `bytes` and `text` stand alone as they are; all others are canonical
 * JSON, in which bytes inside of lists and records are base64.
 */
function fail(path: string, detail: string): never {
  throw new FailureError("expression-failed", path === "" ? detail : `${path}: ${detail}`);
}

/** A copy of JSON as the type has it: bytes out of base64, and nothing that the type does not say. */
function fromJson(type: ValueType, value: Value, path: string): Value {
  switch (type.type) {
    case "json":
      return value;
    case "bytes": {
      const bytes = typeof value === "string" ? fromBase64(value) : undefined;
      return bytes ?? fail(path, `is ${kindOf(value)} and not the base64 of bytes`);
    }
    case "list":
      if (!isList(value)) return mismatch(type, value, path);
      return value.map((each, place) => fromJson(type.of, each, `${path}[${place}]`));
    case "record":
      if (!isRecord(value)) return mismatch(type, value, path);
      return mapFields(type.fields, value, path, fromJson);
    case "optional":
      return value === null ? null : fromJson(type.of, value, path);
    case "text":
    case "boolean":
    case "number":
    case "nothing":
      return isPlain(type.type, value) ? value : mismatch(type, value, path);
    default:
      return type satisfies never;
  }
}

function isPlain(type: "text" | "boolean" | "number" | "nothing", value: Value): boolean {
  if (type === "nothing") return value === null;
  return typeof value === (type === "text" ? "string" : type);
}

function mismatch(type: ValueType, value: Value, path: string): never {
  return fail(path, `is ${kindOf(value)}, but has to be ${printType(type)}`);
}

/** Fields that the type does not name stay what they are: a record may say more than is asked of it. */
function mapFields(
  fields: Readonly<Record<string, ValueType>>,
  value: ValueRecord,
  path: string,
  turn: (type: ValueType, value: Value, path: string) => Value,
): ValueRecord {
  const rows: [string, Value][] = Object.entries(value);
  const turned = rows.map(([name, each]): [string, Value] => {
    const type = Object.hasOwn(fields, name) ? fields[name] : undefined;
    return [name, type === undefined ? each : turn(type, each, path === "" ? name : `${path}.${name}`)];
  });
  for (const [name, type] of Object.entries(fields))
    if (!Object.hasOwn(value, name) && type.type !== "optional")
      fail(path, `the field "${name}" (${printType(type)}) is missing`);
  return Object.fromEntries(turned);
}

function toJson(type: ValueType, value: Value, path: string): Value {
  switch (type.type) {
    case "json":
      return value;
    case "bytes":
      return isBytes(value) ? toBase64(value) : mismatch(type, value, path);
    case "list":
      if (!isList(value)) return mismatch(type, value, path);
      return value.map((each, place) => toJson(type.of, each, `${path}[${place}]`));
    case "record":
      return isRecord(value) ? mapFields(type.fields, value, path, toJson) : mismatch(type, value, path);
    case "optional":
      return value === null ? null : toJson(type.of, value, path);
    case "text":
    case "boolean":
    case "number":
    case "nothing":
      return isPlain(type.type, value) ? value : mismatch(type, value, path);
    default:
      return type satisfies never;
  }
}

/** The value that bytes stand for. @throws FailureError `expression-failed` when they are not of the type. */
export function readValue(type: ValueType, bytes: Uint8Array): Value {
  if (type.type === "bytes") return bytes;
  if (type.type === "text") return textOf(bytes);
  return fromJson(type, parseJson(textOf(bytes)), "");
}

/** The one encoding of a value of a type. @throws FailureError `expression-failed` when it is not of the type. */
export function writeValue(type: ValueType, value: Value): Uint8Array {
  if (type.type === "bytes" && isBytes(value)) return value;
  if (type.type === "text" && typeof value === "string") return bytesOf(value);
  if (type.type === "bytes" || type.type === "text") return mismatch(type, value, "");
  return bytesOf(canonicalJson(toJson(type, value, "")));
}

/** Bytes of a constant of a plan that is given to something of this type: a text stands alone as its UTF-8, all else is JSON. */
export function constantBytes(type: ValueType, json: string): Uint8Array {
  const value = parseJson(json);
  if (type.type === "bytes" && typeof value === "string") return bytesOf(value);
  return writeValue(type, type.type === "text" ? value : fromJson(type, value, ""));
}
