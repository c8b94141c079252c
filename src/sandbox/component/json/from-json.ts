import { FailureError } from "../../../protocol/failure.ts";
import { MAX_JSON_DEPTH } from "../limits.ts";
import type { CaseType, Field, FunctionType, ValueType, VariantType } from "../types/value-type.ts";
import { bare, NONE, some, type Value } from "../values/value.ts";
import { decodeBase64 } from "./base64.ts";

/**
 * The arguments of a call from JSON: an array in the order of the parameters, or an object by their names. No bytes at
 * all stand for no arguments.
 *
 * @throws FailureError `malformed` naming the place, such as `$[0].width`
 */
export function argumentsFromJson(type: FunctionType, input: Uint8Array): readonly Value[] {
  const given: unknown = input.length === 0 ? [] : parse(input);
  const { parameters } = type;
  if (isList(given)) {
    if (given.length !== parameters.length)
      refuse("$", `holds ${given.length} arguments, the function takes ${parameters.length}`);
    return parameters.map((parameter, i) => read(parameter.type, given[i], `$[${i}]`));
  }
  if (!isObject(given)) return refuse("$", "is neither an array of arguments nor an object of them by name");
  return readMembers(parameters, given, "$");
}

function refuse(path: string, what: string): never {
  throw new FailureError("malformed", `${path} ${what}`);
}

function parse(input: Uint8Array): unknown {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(input);
    checkDepth(text);
    const value: unknown = JSON.parse(text);
    return value;
  } catch (error) {
    if (error instanceof FailureError) throw error;
    throw new FailureError("malformed", "the input is not JSON in UTF-8", { cause: error });
  }
}

/** Engines differ in how deep they parse, so what is too deep is refused before they are asked. */
function checkDepth(text: string): void {
  let depth = 0;
  let inString = false;
  for (let i = 0; i < text.length; i += 1) {
    const letter = text[i];
    if (inString) {
      if (letter === "\\") i += 1;
      else if (letter === '"') inString = false;
    } else if (letter === '"') inString = true;
    else if (letter === "[" || letter === "{") {
      depth += 1;
      if (depth > MAX_JSON_DEPTH) refuse("$", `is nested deeper than ${MAX_JSON_DEPTH}`);
    } else if (letter === "]" || letter === "}") depth -= 1;
  }
}

type JsonObject = Readonly<Record<string, unknown>>;

function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** An own property and nothing inherited, whatever it is called. */
function member(object: JsonObject, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

function readMembers(
  fields: readonly Pick<Field, "name" | "type">[],
  given: JsonObject,
  path: string,
): readonly Value[] {
  const known = new Set(fields.map(({ name }) => name));
  for (const name of Object.keys(given)) if (!known.has(name)) refuse(path, `has no ${JSON.stringify(name)}`);
  return fields.map(({ name, type }) => {
    const value = member(given, name);
    if (value === undefined && type.kind === "option") return NONE;
    if (value === undefined) refuse(path, `lacks ${JSON.stringify(name)}`);
    return read(type, value, `${path}.${name}`);
  });
}

const RANGES: Readonly<Record<"s8" | "u8" | "s16" | "u16" | "s32" | "u32", readonly [number, number]>> = {
  s8: [-0x80, 0x7f],
  u8: [0, 0xff],
  s16: [-0x8000, 0x7fff],
  u16: [0, 0xffff],
  s32: [-0x8000_0000, 0x7fff_ffff],
  u32: [0, 0xffff_ffff],
};

function read(type: ValueType, given: unknown, path: string): Value {
  switch (type.kind) {
    case "s8":
    case "u8":
    case "s16":
    case "u16":
    case "s32":
    case "u32":
      return readInteger(given, RANGES[type.kind], type.kind, path);
    case "bool":
      return typeof given === "boolean" ? given : refuse(path, "is not a bool");
    case "s64":
      return readLong(given, path, -(1n << 63n), (1n << 63n) - 1n, type.kind);
    case "u64":
      return readLong(given, path, 0n, (1n << 64n) - 1n, type.kind);
    case "f32":
      return Math.fround(readFloat(given, path));
    case "f64":
      return readFloat(given, path);
    case "char":
      return readChar(given, path);
    case "string":
      return readText(given, path);
    case "list":
      return readList(type.element, given, path);
    case "tuple":
      return readTuple(type.fields, given, path);
    case "record":
      return isObject(given) ? readMembers(type.fields, given, path) : refuse(path, "is not a record");
    case "option":
      return readOption(type, given, path);
    case "variant":
    case "enum":
    case "result":
      return readCase(type, given, path);
    case "flags":
      return readFlags(type.names, given, path);
    case "own":
    case "borrow":
      return refuse(path, `would be a ${type.kind}, which has no form in JSON`);
    default:
      return type satisfies never;
  }
}

function readInteger(
  given: unknown,
  [least, most]: readonly [number, number],
  kind: string,
  path: string,
): number {
  if (typeof given === "number" && Number.isInteger(given) && given >= least && given <= most)
    return given + 0;
  return refuse(path, `is not a ${kind}`);
}

function readLong(given: unknown, path: string, least: bigint, most: bigint, kind: string): bigint {
  const value = longOf(given);
  return value !== undefined && value >= least && value <= most ? value : refuse(path, `is not a ${kind}`);
}

/** A string of decimal digits, or a number that JSON's numbers hold exactly. */
function longOf(given: unknown): bigint | undefined {
  if (typeof given === "string" && /^-?\d{1,20}$/u.test(given)) return BigInt(given);
  return typeof given === "number" && Number.isSafeInteger(given) ? BigInt(given) : undefined;
}

const NAMED_FLOATS: ReadonlyMap<unknown, number> = new Map([
  ["NaN", Number.NaN],
  ["Infinity", Number.POSITIVE_INFINITY],
  ["-Infinity", Number.NEGATIVE_INFINITY],
]);

function readFloat(given: unknown, path: string): number {
  if (typeof given === "number") return given;
  return NAMED_FLOATS.get(given) ?? refuse(path, "is not a float");
}

function readText(given: unknown, path: string): string {
  if (typeof given !== "string") return refuse(path, "is not a string");
  return given.isWellFormed() ? given : refuse(path, "is not a string of Unicode scalar values");
}

function readChar(given: unknown, path: string): string {
  const text = readText(given, path);
  const [first] = text;
  return first === text ? text : refuse(path, "is not one char");
}

function readList(element: ValueType, given: unknown, path: string): Value {
  if (element.kind === "u8" && typeof given === "string")
    return decodeBase64(given) ?? refuse(path, "is not base64");
  if (!isList(given)) return refuse(path, "is not a list");
  if (element.kind !== "u8") return given.map((item, i) => read(element, item, `${path}[${i}]`));
  return Uint8Array.from(given, (item, i) => readInteger(item, RANGES.u8, "u8", `${path}[${i}]`));
}

function readTuple(fields: readonly Field[], given: unknown, path: string): Value {
  if (!isList(given) || given.length !== fields.length)
    return refuse(path, `is not a tuple of ${fields.length}`);
  return fields.map(({ type }, i) => read(type, given[i], `${path}[${i}]`));
}

function readOption(type: VariantType, given: unknown, path: string): Value {
  if (given === null || given === undefined) return NONE;
  const inner = type.cases[1]?.type;
  if (inner === undefined) throw new TypeError("an option of nothing");
  if (inner.kind !== "option") return some(read(inner, given, path));
  if (!isObject(given) || !Object.hasOwn(given, "some") || Object.keys(given).length !== 1)
    return refuse(path, 'is neither null nor {"some": …}');
  return some(read(inner, given["some"], `${path}.some`));
}

function readCase(type: VariantType, given: unknown, path: string): Value {
  if (typeof given === "string" && type.kind !== "result") {
    const [tag, found] = caseNamed(type, given, path);
    return found.type === undefined ? bare(tag) : refuse(path, `is the case ${given} without its value`);
  }
  const [name, ...rest] = isObject(given) ? Object.keys(given) : [];
  if (!isObject(given) || name === undefined || rest.length > 0)
    return refuse(path, `is not a case of a ${type.kind}: {"name": value}`);
  const [tag, found] = caseNamed(type, name, path);
  const value = given[name];
  if (found.type !== undefined) return { tag, payload: read(found.type, value, `${path}.${name}`) };
  return value === null ? bare(tag) : refuse(path, `has a value in the case ${name}, which carries none`);
}

function caseNamed(type: VariantType, name: string, path: string): readonly [number, CaseType] {
  const tag = type.cases.findIndex((each) => each.name === name);
  const found = type.cases[tag];
  return found === undefined ? refuse(path, `has no case ${JSON.stringify(name)}`) : [tag, found];
}

function readFlags(names: readonly string[], given: unknown, path: string): number {
  if (!isList(given)) return refuse(path, "is not a list of names");
  let bits = 0;
  for (const [i, name] of given.entries()) {
    const bit = typeof name === "string" ? names.indexOf(name) : -1;
    if (bit < 0) refuse(`${path}[${i}]`, "is not one of the flags");
    bits |= 1 << bit;
  }
  return bits >>> 0;
}
