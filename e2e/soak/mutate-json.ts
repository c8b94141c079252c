import type { Draw } from "./chance.ts";
import { oneOf } from "./message-maker.ts";

/** Values that readers of JSON stumble over: of another kind, at the edge of their kind, or with a meaning elsewhere. */
const ODD: readonly (() => unknown)[] = [
  () => null,
  () => true,
  () => 0,
  () => -1,
  () => 0.5,
  () => 1e308,
  () => 2 ** 53,
  () => -0,
  () => "",
  () => "constructor",
  () => "__proto__",
  () => "toString",
  () => "\ud800",
  () => "\0",
  () => "x".repeat(70_000),
  () => [],
  () => [[]],
  () => ({}),
  () => JSON.parse('{"__proto__":{"model":"x"}}') as unknown,
  () => Array.from({ length: 3_000 }, () => "x"),
  () => nested(400),
];
const NAMES = ["__proto__", "constructor", "toString", "", "n", "model", "\0", "stream", "input", "unknown"];

function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let left = depth; left > 0; left -= 1) value = left % 2 === 0 ? [value] : { model: value };
  return value;
}

/** Places of a value: the whole, each item and each field, however deep. */
function places(value: unknown, path: readonly string[] = []): readonly (readonly string[])[] {
  if (typeof value !== "object" || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([name, item]) => places(item, [...path, name]))];
}

function changedAt(value: unknown, path: readonly string[], change: (old: unknown) => unknown): unknown {
  const [name, ...rest] = path;
  if (name === undefined || typeof value !== "object" || value === null) return change(value);
  const items = Object.entries(value).map(
    ([each, item]) => [each, each === name ? changedAt(item, rest, change) : item] as const,
  );
  return Array.isArray(value) ? items.map(([, item]) => item) : Object.fromEntries(items);
}

/** JSON like `value`, but not quite: one to three of its parts are changed, left out, doubled or joined by others. */
export function mutateJson(value: unknown, by: Draw): unknown {
  let mutated = value;
  for (let left = 1 + by(3); left > 0; left -= 1) {
    const path = oneOf(places(mutated), by);
    mutated = changedAt(mutated, path, (old) => {
      if (by(3) > 0 || typeof old !== "object" || old === null) return oneOf(ODD, by)();
      if (Array.isArray(old))
        return by(2) === 0 ? old.slice(1) : [...(old as unknown[]), ...(old as unknown[])];
      const fields: [string, unknown][] = Object.entries(old);
      const at = by(fields.length + 1);
      return by(2) === 0
        ? Object.fromEntries(fields.toSpliced(at, 1))
        : Object.fromEntries([...fields, [oneOf(NAMES, by), oneOf(ODD, by)()]]);
    });
  }
  return mutated;
}
