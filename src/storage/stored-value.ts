/** Readers for values that come out of the database. Each answers `undefined` for anything of another shape. */

/** The fields of a stored record; none when it is not a record. */
export function fieldsOf(value: unknown): ReadonlyMap<string, unknown> {
  return typeof value === "object" && value !== null ? new Map(Object.entries(value)) : new Map();
}

export function asBytes(value: unknown): Uint8Array<ArrayBuffer> | undefined {
  if (value instanceof Uint8Array) return new Uint8Array(value);
  return value instanceof ArrayBuffer ? new Uint8Array(value) : undefined;
}

/** A count, size or time: a whole number, not negative. */
export function asCount(value: unknown): number | undefined {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

export function asText(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

/** A list all of whose items `read` understands. */
export function asListOf<T>(
  value: unknown,
  read: (item: unknown) => T | undefined,
): readonly T[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const all: T[] = [];
  for (const each of value) {
    const item = read(each);
    if (item === undefined) return undefined;
    all.push(item);
  }
  return all;
}

export function asBytesList(value: unknown): readonly Uint8Array[] | undefined {
  return asListOf<Uint8Array>(value, asBytes);
}
