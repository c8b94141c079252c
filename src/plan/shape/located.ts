/** Line and column in a text, both from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** A parsed text, JSON or YAML alike, that still knows where each of its parts stands. */
export interface Located {
  readonly at: Position;
  readonly value: null | boolean | number | string | readonly Located[] | LocatedMap;
}

export type LocatedMap = ReadonlyMap<string, LocatedField>;

export interface LocatedField {
  /** Where its name stands. */
  readonly at: Position;
  readonly value: Located;
}

export function isLocatedMap(value: Located["value"]): value is LocatedMap {
  return value instanceof Map;
}

export function isLocatedList(value: Located["value"]): value is readonly Located[] {
  return Array.isArray(value);
}

/** As plain data, positions forgotten. */
export function plainOf({ value }: Located): unknown {
  if (isLocatedMap(value))
    return Object.fromEntries([...value].map(([name, field]) => [name, plainOf(field.value)]));
  return isLocatedList(value) ? value.map(plainOf) : value;
}
