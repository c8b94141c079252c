import type { GgufMetadata } from "./metadata.ts";

/** Metadata by key and type; each throws RangeError where the file has something else. */

/** A number of at least 0 that is whole and below 2^53. */
export function wholeNumber(metadata: GgufMetadata, key: string): number | undefined {
  const value = metadata.get(key);
  if (value === undefined) return undefined;
  const number = typeof value === "bigint" ? Number(value) : value;
  if (typeof number !== "number" || !Number.isSafeInteger(number) || number < 0)
    throw new RangeError(`${key} is not a whole number`);
  return number;
}

export function realNumber(metadata: GgufMetadata, key: string): number | undefined {
  const value = metadata.get(key);
  if (value === undefined) return undefined;
  if (typeof value !== "number" || !Number.isFinite(value)) throw new RangeError(`${key} is not a number`);
  return value;
}

export function truth(metadata: GgufMetadata, key: string): boolean | undefined {
  const value = metadata.get(key);
  if (value === undefined || typeof value === "boolean") return value;
  throw new RangeError(`${key} is neither true nor false`);
}

export function textValue(metadata: GgufMetadata, key: string): string | undefined {
  const value = metadata.get(key);
  if (value === undefined || typeof value === "string") return value;
  throw new RangeError(`${key} is not a text`);
}

export function textList(metadata: GgufMetadata, key: string): readonly string[] | undefined {
  const value = metadata.get(key);
  if (value === undefined) return undefined;
  if (!Array.isArray(value)) throw new RangeError(`${key} is not a list of texts`);
  return value.map((item: unknown) => {
    if (typeof item !== "string") throw new RangeError(`${key} is not a list of texts`);
    return item;
  });
}

export function numberList(metadata: GgufMetadata, key: string): ArrayLike<number> | undefined {
  const value = metadata.get(key);
  if (
    value === undefined ||
    value instanceof Float32Array ||
    value instanceof Int32Array ||
    value instanceof Uint32Array
  )
    return value;
  throw new RangeError(`${key} is not a list of numbers of 32 bits`);
}

/** @throws RangeError where there is none */
export function required<Value>(value: Value | undefined, key: string): Value {
  if (value === undefined) throw new RangeError(`the file does not say ${key}`);
  return value;
}
