import { MAX_ARRAY_DEPTH } from "../limits.ts";
import type { HeaderReader } from "./header-reader.ts";

/** A value of GGUF metadata. Integers of 64 bits are bigints; arrays of numbers are typed arrays. */
export type GgufValue =
  | number
  | bigint
  | boolean
  | string
  | NumberArray
  | BigInt64Array
  | BigUint64Array
  | readonly GgufValue[];

export type NumberArray =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float32Array
  | Float64Array;

export type GgufMetadata = ReadonlyMap<string, GgufValue>;

/** Value types of GGUF (ggml's docs/gguf.md). */
export const VALUE_TYPE = {
  u8: 0,
  i8: 1,
  u16: 2,
  i16: 3,
  u32: 4,
  i32: 5,
  f32: 6,
  boolean: 7,
  text: 8,
  array: 9,
  u64: 10,
  i64: 11,
  f64: 12,
} as const;

/** Arrays whose bytes are copied as they are: GGUF and every machine with browsers are little-endian. */
const ARRAYS = {
  [VALUE_TYPE.u8]: Uint8Array,
  [VALUE_TYPE.i8]: Int8Array,
  [VALUE_TYPE.u16]: Uint16Array,
  [VALUE_TYPE.i16]: Int16Array,
  [VALUE_TYPE.u32]: Uint32Array,
  [VALUE_TYPE.i32]: Int32Array,
  [VALUE_TYPE.f32]: Float32Array,
  [VALUE_TYPE.u64]: BigUint64Array,
  [VALUE_TYPE.i64]: BigInt64Array,
  [VALUE_TYPE.f64]: Float64Array,
} as const;

/** Fewest bytes of an element: the length of a text, type and length of an array. */
const TEXT_BYTES = 8;
const ARRAY_BYTES = 12;
/** Fewest bytes of a pair of key and value. */
const PAIR_BYTES = 13;

/** @throws RangeError for metadata that are none */
export function readMetadata(reader: HeaderReader, count: number): GgufMetadata {
  const metadata = new Map<string, GgufValue>();
  for (let i = 0; i < count; i += 1) {
    const key = reader.text("a key");
    if (metadata.has(key)) throw new RangeError(`metadata have ${JSON.stringify(key)} twice`);
    const type = reader.u32();
    metadata.set(key, readValue(reader, type, key, 0));
  }
  return metadata;
}

/** The number of pairs that follows. */
export function readPairCount(reader: HeaderReader): number {
  return reader.count(PAIR_BYTES, "pairs of metadata");
}

function readValue(reader: HeaderReader, type: number, key: string, depth: number): GgufValue {
  switch (type) {
    case VALUE_TYPE.boolean:
      return readBoolean(reader, key);
    case VALUE_TYPE.text:
      return reader.text(`the value of ${key}`);
    case VALUE_TYPE.array:
      return readArray(reader, key, depth + 1);
    case VALUE_TYPE.u64:
      return reader.u64();
    case VALUE_TYPE.i64:
      return reader.i64();
    case VALUE_TYPE.f64:
      return reader.f64();
    default: {
      const [value] = numbers(reader, type, 1, key);
      if (value === undefined) throw new RangeError(`${key} has no value`);
      return value;
    }
  }
}

function readBoolean(reader: HeaderReader, key: string): boolean {
  const byte = reader.u8();
  if (byte > 1) throw new RangeError(`${key} is neither true nor false but ${byte}`);
  return byte === 1;
}

function readArray(reader: HeaderReader, key: string, depth: number): GgufValue {
  if (depth > MAX_ARRAY_DEPTH)
    throw new RangeError(`${key} has arrays in arrays, more than ${MAX_ARRAY_DEPTH} deep`);
  const type = reader.u32();
  const place = `elements of ${key}`;
  if (type === VALUE_TYPE.text || type === VALUE_TYPE.array) {
    const count = reader.count(type === VALUE_TYPE.text ? TEXT_BYTES : ARRAY_BYTES, place);
    const values: GgufValue[] = [];
    for (let i = 0; i < count; i += 1) values.push(readValue(reader, type, key, depth));
    return values;
  }
  if (type === VALUE_TYPE.boolean) {
    const count = reader.count(1, place);
    const values: boolean[] = [];
    for (let i = 0; i < count; i += 1) values.push(readBoolean(reader, key));
    return values;
  }
  return numbers(reader, type, reader.count(bytesOf(type, key), place), key);
}

function numbers(
  reader: HeaderReader,
  type: number,
  count: number,
  key: string,
): NumberArray | BigInt64Array | BigUint64Array {
  const bytes = reader.bytes(count * bytesOf(type, key), `the value of ${key}`);
  return new (arrayOf(type, key))(bytes.buffer);
}

function bytesOf(type: number, key: string): number {
  return arrayOf(type, key).BYTES_PER_ELEMENT;
}

function arrayOf(type: number, key: string): (typeof ARRAYS)[keyof typeof ARRAYS] {
  if (!isNumeric(type)) throw new RangeError(`${key} has the unknown type ${type}`);
  return ARRAYS[type];
}

function isNumeric(type: number): type is keyof typeof ARRAYS {
  return type in ARRAYS;
}
