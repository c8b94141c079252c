/** Rows by name, as text that can be compared. */
function byName<T extends object>(
  rows: Iterable<T>,
  nameOf: (row: T) => string,
): ReadonlyMap<string, string> {
  const plain = (row: T): string =>
    Object.entries(row)
      .filter(([, value]: [string, unknown]) => value !== undefined)
      .map(([key, value]: [string, unknown]) => `${key} ${String(value)}`)
      .toSorted()
      .join("\n");
  return new Map([...rows].map((row) => [nameOf(row), plain(row)]));
}

/** What stored rows say otherwise than those that follow from the log, in words: one line for each row. */
export function* differences<T extends object>(
  kind: string,
  stored: readonly T[],
  recomputed: Iterable<T>,
  nameOf: (row: T) => string,
): Generator<string> {
  const rows = byName(stored, nameOf);
  const log = byName(recomputed, nameOf);
  for (const name of new Set([...rows.keys(), ...log.keys()]))
    if (rows.get(name) !== log.get(name)) yield `${kind} ${name} stands otherwise in the log`;
}
