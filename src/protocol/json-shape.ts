import { type Cid, isCid } from "./cid.ts";
import { isPeerId, type PeerId } from "./peer-id.ts";
import { type MicroCredits, microCredits, U64_MAX } from "./units.ts";
import { WireError } from "./wire-error.ts";

/**
 * One shape of JSON, both ways: the counterpart of schema.ts for views that people and tools read. What goes in is a
 * parsed JSON value of unknown form; what comes out has exactly the fields of the shape. Fields that this version does
 * not know are dropped, so that a newer relay may say more.
 */
export interface JsonShape<T> {
  write(value: T): unknown;
  /** @param at path of the value, for the error. @throws WireError `malformed` naming the field. */
  read(value: unknown, at?: string): T;
}

/** A field that may be absent. Only records know it. */
export interface OptionalJson<T> {
  readonly optional: JsonShape<T>;
}

type JsonFieldOf<T, K extends keyof T> = undefined extends T[K]
  ? OptionalJson<Exclude<T[K], undefined>>
  : JsonShape<T[K]>;
/** The fields of a record: one shape for each key of `T`, `optionalJson(…)` exactly where the key may be missing. */
export type JsonFields<T> = { readonly [K in keyof T]-?: JsonFieldOf<T, K> };

function fail(at: string, problem: string): never {
  throw new WireError(`${at === "" ? "answer" : at} ${problem}`);
}

/** A shape that JSON carries as it is. */
function plain<T>(is: (value: unknown) => value is T, what: string): JsonShape<T> {
  return {
    write: (value) => value,
    read: (value, at = "") => (is(value) ? value : fail(at, `is not ${what}`)),
  };
}

export const jsonBool: JsonShape<boolean> = plain((value) => typeof value === "boolean", "true or false");
export const jsonCid: JsonShape<Cid> = plain(isCid, "a CID");
export const jsonPeer: JsonShape<PeerId> = plain(isPeerId, "a peer id");

/** @param maxLength in UTF-16 units. */
export function jsonText(maxLength: number): JsonShape<string> {
  return plain(
    (value): value is string => typeof value === "string" && value.length <= maxLength,
    `text of at most ${maxLength} characters`,
  );
}

/** A whole number from 0 on that stays a number. */
export function jsonUint(max: number = Number.MAX_SAFE_INTEGER): JsonShape<number> {
  return plain(
    (value): value is number =>
      typeof value === "number" && Number.isSafeInteger(value) && value >= 0 && value <= max,
    `a whole number from 0 to ${max}`,
  );
}

export function jsonOneOf<const W extends string>(words: readonly W[]): JsonShape<W> {
  return plain((value): value is W => words.some((word) => word === value), `one of ${words.join(", ")}`);
}

/** JSON numbers lose digits beyond 2^53, so 64-bit amounts travel as decimal text, without sign or leading zeros. */
function decimal<T extends bigint>(brand: (value: bigint) => T): JsonShape<T> {
  return {
    write: (value) => value.toString(),
    read(value, at = "") {
      if (typeof value !== "string" || !/^(0|[1-9][0-9]{0,19})$/u.test(value)) fail(at, "is not a decimal");
      const amount = BigInt(value);
      return amount <= U64_MAX ? brand(amount) : fail(at, "does not fit 64 bits");
    },
  };
}

export const jsonAmount: JsonShape<MicroCredits> = decimal(microCredits);
export const jsonU64: JsonShape<bigint> = decimal((value) => value);

export function jsonList<T>(item: JsonShape<T>, maxItems: number): JsonShape<readonly T[]> {
  return {
    write: (value) => value.map((each) => item.write(each)),
    read(value, at = "") {
      if (!Array.isArray(value)) fail(at, "is not a list");
      if (value.length > maxItems) fail(at, `has more than ${maxItems} items`);
      return value.map((each: unknown, index) => item.read(each, `${at}[${index}]`));
    },
  };
}

export function optionalJson<T>(shape: JsonShape<T>): OptionalJson<T> {
  return { optional: shape };
}

interface JsonColumn {
  readonly name: string;
  readonly required: boolean;
  readonly shape: JsonShape<unknown>;
}

function isOptional(field: JsonShape<unknown> | OptionalJson<unknown>): field is OptionalJson<unknown> {
  return "optional" in field;
}

function columnsOf(
  fields: Readonly<Record<string, JsonShape<unknown> | OptionalJson<unknown>>>,
): readonly JsonColumn[] {
  return Object.entries(fields).map(([name, field]) =>
    isOptional(field)
      ? { name, required: false, shape: field.optional }
      : { name, required: true, shape: field },
  );
}

/** Every column has been read by now; JsonFields<T> ties the columns to T. */
function isComplete<T>(result: unknown, fields: JsonFields<T>): result is T {
  return typeof result === typeof fields;
}

export function jsonRecord<T extends object>(fields: JsonFields<T>): JsonShape<T> {
  const columns = columnsOf(fields);
  return {
    write(value) {
      const entries: [string, unknown][] = [];
      for (const { name, shape } of columns) {
        const field: unknown = Reflect.get(value, name);
        if (field !== undefined) entries.push([name, shape.write(field)]);
      }
      return Object.fromEntries(entries);
    },
    read(value, at = "") {
      if (typeof value !== "object" || value === null || Array.isArray(value)) fail(at, "is not an object");
      const result: Record<string, unknown> = {};
      for (const { name, required, shape } of columns) {
        const path = at === "" ? name : `${at}.${name}`;
        const field: unknown = Object.hasOwn(value, name) ? Reflect.get(value, name) : undefined;
        if (field !== undefined) result[name] = shape.read(field, path);
        else if (required) fail(path, "is missing");
      }
      return isComplete(result, fields) ? result : fail(at, "is incomplete");
    },
  };
}
