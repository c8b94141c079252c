/** Lists and records inside each other in JSON at most: deeper is no data that somebody made on purpose. */
export const MAX_JSON_DEPTH = 64;

/** What a printer does with what JSON does not have. */
export interface JsonRules {
  /** A text as it is printed: whole characters only. */
  text(value: string): string;
  /** What stands against a value. */
  refuse(detail: string): never;
}

/**
 * The one spelling of a JSON value (RFC 8785): keys sorted by UTF-16 code unit, no spaces, numbers and texts as ECMAScript
 * writes them. What `rules.refuse` throws for a value that JSON does not have, or that nests deeper than MAX_JSON_DEPTH.
 */
export function printCanonical(value: unknown, rules: JsonRules): string {
  const out: string[] = [];
  printPart(value, out, 0, rules);
  return out.join("");
}

function printPart(value: unknown, out: string[], depth: number, rules: JsonRules): void {
  if (depth > MAX_JSON_DEPTH) rules.refuse(`a value nests deeper than ${MAX_JSON_DEPTH}`);
  if (value === null || typeof value === "boolean") {
    out.push(String(value));
  } else if (typeof value === "number") {
    if (!Number.isFinite(value)) rules.refuse(`${value} is not a number that JSON has`);
    out.push(JSON.stringify(value));
  } else if (typeof value === "string") {
    out.push(JSON.stringify(rules.text(value)));
  } else if (Array.isArray(value)) {
    printList(value, out, depth, rules);
  } else if (typeof value === "object" && !(value instanceof Uint8Array)) {
    printRecord(value, out, depth, rules);
  } else {
    rules.refuse("bytes have no place in JSON; turn them into text with base64(…)");
  }
}

function printList(list: readonly unknown[], out: string[], depth: number, rules: JsonRules): void {
  out.push("[");
  for (const [place, each] of list.entries()) {
    if (place > 0) out.push(",");
    printPart(each, out, depth + 1, rules);
  }
  out.push("]");
}

function printRecord(record: object, out: string[], depth: number, rules: JsonRules): void {
  let separator = "{";
  const names = Object.keys(record).toSorted();
  if (names.length === 0) out.push("{");
  for (const name of names) {
    out.push(separator, JSON.stringify(rules.text(name)), ":");
    printPart(Reflect.get(record, name) ?? null, out, depth + 1, rules);
    separator = ",";
  }
  out.push("}");
}
