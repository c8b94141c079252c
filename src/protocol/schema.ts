import { CborReader } from "./cbor-reader.ts";
import { CborWriter } from "./cbor-writer.ts";
import { type Cid, cidBytes, cidFromBytes } from "./cid.ts";
import { concatBytes } from "./bytes.ts";
import { MAX_BODY_BYTES, MAX_ITEMS, MAX_TEXT_BYTES } from "./limits.ts";
import { multicodecKey, MULTICODEC_KEY_BYTES, type PeerId, peerIdFromMulticodecKey } from "./peer-id.ts";
import { decodeUtf8, encodeUtf8 } from "./text.ts";
import { type Fuel, fuel, type MicroCredits, microCredits } from "./units.ts";
import { WireError } from "./wire-error.ts";

/**
 * One shape of data, both ways. A schema demands exactly its fields in canonical order, so that decoding and encoding
 * are inverse to each other, byte for byte. Strings and byte strings that come out are copies or immutable.
 */
export interface Schema<T> {
  write(out: CborWriter, value: T): void;
  /** @throws WireError naming the field. */
  read(from: CborReader): T;
}

/** A field that may be absent. Only records know it. */
export interface OptionalField<T> {
  readonly optional: Schema<T>;
}

type FieldOf<T, K extends keyof T> = undefined extends T[K]
  ? OptionalField<Exclude<T[K], undefined>>
  : Schema<T[K]>;
/** The fields of a record: one schema for each key of `T`, `optional(…)` exactly where the key may be missing. */
export type Fields<T> = { readonly [K in keyof T]-?: FieldOf<T, K> };

/** What `make` says is wrong with the bytes, said of the field that they came from. */
function located<T>(from: CborReader, make: (data: Uint8Array) => T, data: Uint8Array): T {
  try {
    return make(data);
  } catch (error) {
    if (error instanceof WireError) from.fail(error.detail);
    throw error;
  }
}

export const u64: Schema<bigint> = { write: (out, value) => out.u64(value), read: (from) => from.u64() };

export const amount: Schema<MicroCredits> = {
  write: (out, value) => out.u64(value),
  read: (from) => microCredits(from.u64()),
};

export const fuelAmount: Schema<Fuel> = {
  write: (out, value) => out.u64(value),
  read: (from) => fuel(from.u64()),
};

/** An unsigned integer that stays a number: counts, sizes, milliseconds. */
export function uint(max: number = Number.MAX_SAFE_INTEGER): Schema<number> {
  return {
    write(out, value) {
      if (!Number.isSafeInteger(value) || value < 0 || value > max) {
        throw new RangeError(`${value} is not a whole number from 0 to ${max}`);
      }
      out.head(0, value);
    },
    read: (from) => from.uint(max),
  };
}

export const bool: Schema<boolean> = { write: (out, value) => out.bool(value), read: (from) => from.bool() };

export function text(maxBytes: number = MAX_TEXT_BYTES): Schema<string> {
  return {
    write(out, value) {
      const utf8 = encodeUtf8(value);
      if (utf8.length > maxBytes) throw new RangeError(`text is longer than ${maxBytes} bytes`);
      out.textString(utf8);
    },
    read: (from) => located(from, decodeUtf8, from.textString(maxBytes)),
  };
}

function encodedText(value: string): Uint8Array {
  const out = new CborWriter();
  out.textString(encodeUtf8(value));
  return out.take();
}

/** One of a closed set of words. */
export function oneOf<const W extends string>(words: readonly W[]): Schema<W> {
  const known = words.map((word) => ({ word, encoded: encodedText(word) }));
  return {
    write: (out, value) => out.textString(encodeUtf8(value)),
    read(from) {
      for (const { word, encoded } of known) if (from.takes(encoded)) return word;
      located(from, decodeUtf8, from.textString(MAX_TEXT_BYTES));
      return from.fail(`is none of ${words.join(", ")}`);
    },
  };
}

/** Exactly `length` bytes. */
export function exactBytes(length: number): Schema<Uint8Array> {
  return {
    write(out, value) {
      if (value.length !== length) throw new RangeError(`expected ${length} bytes, not ${value.length}`);
      out.byteString(value);
    },
    read(from) {
      const value = from.byteCopy(length);
      return value.length === length ? value : from.fail(`is not ${length} bytes long`);
    },
  };
}

export function bytes(maxLength: number): Schema<Uint8Array> {
  return {
    write(out, value) {
      if (value.length > maxLength) throw new RangeError(`more than ${maxLength} bytes`);
      out.byteString(value);
    },
    read: (from) => from.byteCopy(maxLength),
  };
}

/** Like bytes, read as a view of what it was read from, which must not change: for what is decoded again at once. */
export function bytesInPlace(maxLength: number): Schema<Uint8Array> {
  return { ...bytes(maxLength), read: (from) => from.byteString(maxLength) };
}

const NO_BASE = Uint8Array.of(0);

export const cid: Schema<Cid> = {
  write(out, value) {
    out.head(6, 42);
    out.byteString(concatBytes(NO_BASE, cidBytes(value)));
  },
  read(from) {
    return located(from, cidFromBytes, from.link());
  },
};

export const peer: Schema<PeerId> = {
  write: (out, value) => out.byteString(multicodecKey(value)),
  read: (from) => located(from, peerIdFromMulticodecKey, from.byteString(MULTICODEC_KEY_BYTES)),
};

export function list<T>(item: Schema<T>, maxItems: number = MAX_ITEMS): Schema<readonly T[]> {
  return {
    write(out, value) {
      if (value.length > maxItems) throw new RangeError(`more than ${maxItems} items`);
      out.head(4, value.length);
      for (const each of value) item.write(out, each);
    },
    read(from) {
      const count = from.count(4, maxItems);
      const items: T[] = [];
      for (let i = 0; i < count; i += 1) {
        from.enter(i);
        items.push(item.read(from));
        from.leave();
      }
      return items;
    },
  };
}

/** `schema`, restricted to values for which `holds`; `rule` completes the sentence "…: <rule>". */
export function where<T>(schema: Schema<T>, holds: (value: T) => boolean, rule: string): Schema<T> {
  return {
    write(out, value) {
      if (!holds(value)) throw new RangeError(rule);
      schema.write(out, value);
    },
    read(from) {
      const value = schema.read(from);
      return holds(value) ? value : from.fail(rule);
    },
  };
}

export function optional<T>(schema: Schema<T>): OptionalField<T> {
  return { optional: schema };
}

interface Column {
  readonly name: string;
  readonly utf8: Uint8Array;
  /** The key as it is written. */
  readonly key: Uint8Array;
  readonly required: boolean;
  readonly schema: Schema<unknown>;
}

/** dag-cbor order of map keys: shorter first, then bytewise. */
export function compareKeys(a: Uint8Array, b: Uint8Array): number {
  if (a.length !== b.length) return a.length - b.length;
  for (let i = 0; i < a.length; i += 1) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function isOptional(field: Schema<unknown> | OptionalField<unknown>): field is OptionalField<unknown> {
  return "optional" in field;
}

function columnsOf(
  fields: Readonly<Record<string, Schema<unknown> | OptionalField<unknown>>>,
): readonly Column[] {
  return Object.entries(fields)
    .map(([name, field]): Column => ({
      name,
      utf8: encodeUtf8(name),
      key: encodedText(name),
      required: !isOptional(field),
      schema: isOptional(field) ? field.optional : field,
    }))
    .toSorted((a, b) => compareKeys(a.utf8, b.utf8));
}

/** A map with exactly these keys. An unknown or repeated key, or one out of order, is refused. */
export function record<T extends object>(fields: Fields<T>): Schema<T> {
  const columns = columnsOf(fields);
  const shapes = new Map<string, (values: readonly unknown[]) => object>();
  return {
    write(out, value) {
      let present = 0;
      for (const column of columns) if (Reflect.get(value, column.name) !== undefined) present += 1;
      out.head(5, present);
      for (const column of columns) {
        const field: unknown = Reflect.get(value, column.name);
        if (field === undefined) {
          if (column.required) throw new RangeError(`field ${column.name} is missing`);
          continue;
        }
        out.raw(column.key);
        column.schema.write(out, field);
      }
    },
    read(from) {
      const count = from.count(5, MAX_ITEMS);
      const values: unknown[] = [];
      let left = count;
      let absent = "";
      let place = -1;
      for (const column of columns) {
        place += 1;
        if (left > 0 && from.takes(column.key)) {
          left -= 1;
          from.enter(column.name);
          values.push(column.schema.read(from));
          from.leave();
        } else {
          if (column.required) failAt(from, left, `field ${column.name} is missing`);
          absent += ` ${place}`;
        }
      }
      if (left > 0) failAt(from, left, "has a field that is unknown, repeated or out of order");
      let shape = shapes.get(absent);
      if (shape === undefined) {
        shape = shapeOf(columns, absent);
        shapes.set(absent, shape);
      }
      const result = shape(values);
      return isComplete(result, fields) ? result : from.fail("is incomplete");
    },
  };
}

/**
 * Makes objects of one fixed shape. JSON.parse gives such a one however many fields there are, and copies of it keep it;
 * an object that gets more than twelve fields one by one becomes a dictionary in V8, several times slower to read.
 */
function shapeOf(columns: readonly Column[], absent: string): (values: readonly unknown[]) => object {
  const missing = new Set(absent.split(" "));
  const names = columns.map(({ name }) => name).filter((_, place) => !missing.has(String(place)));
  const empty: Record<string, unknown> = JSON.parse(
    `{${names.map((name) => `${JSON.stringify(name)}:null`).join()}}`,
  );
  return (values) => {
    const result = { ...empty };
    let place = 0;
    for (const name of names) result[name] = values[place++];
    return result;
  };
}

/** Every column has been seen to by now; Fields<T> ties the columns to T. */
function isComplete<T>(result: unknown, fields: Fields<T>): result is T {
  return typeof result === typeof fields;
}

/** The next key is not the one expected; it may not even be text, which then is what is wrong. */
function failAt(from: CborReader, left: number, what: string): never {
  if (left > 0) from.textString(MAX_TEXT_BYTES);
  return from.fail(what);
}

/** A writer that is not in use, with the room that it once needed. */
let spare: CborWriter | undefined;

/** Canonical bytes of a value. @throws RangeError when the value itself breaks a bound of its schema. */
export function encode<T>(schema: Schema<T>, value: T): Uint8Array<ArrayBuffer> {
  const out = spare ?? new CborWriter();
  spare = undefined;
  schema.write(out, value);
  const taken = out.take();
  spare = out;
  return taken;
}

/**
 * @param maxDepth names and places inside each other; messages nest less than MAX_DEPTH.
 * @throws WireError when the bytes are not exactly one canonical value of the schema, or more than `maxBytes`.
 */
export function decode<T>(
  schema: Schema<T>,
  data: Uint8Array,
  maxBytes: number = MAX_BODY_BYTES,
  maxDepth?: number,
): T {
  if (data.length > maxBytes)
    throw new WireError(`message: ${data.length} bytes, at most ${maxBytes}`, "too-large");
  const from = new CborReader(data, maxDepth);
  const value = schema.read(from);
  from.end();
  return value;
}
