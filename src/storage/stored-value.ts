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

export function asBytesList(value: unknown): readonly Uint8Array[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const all: Uint8Array[] = [];
  for (const each of value) {
    const bytes = asBytes(each);
    if (bytes === undefined) return undefined;
    all.push(bytes);
  }
  return all;
}

export function asCountList(value: unknown): readonly number[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const all: number[] = [];
  for (const each of value) {
    const count = asCount(each);
    if (count === undefined) return undefined;
    all.push(count);
  }
  return all;
}
