import { isBytes, isList, isRecord, type Value } from "./json-value.ts";
import { printType } from "./text/type-text.ts";
import type { ValueType } from "./value-type.ts";

/** Which values go where another type is asked for, without being written anew. */

/** Whether a value of the type stands alone as it is, and not as JSON. */
export function isAlone({ type }: ValueType): boolean {
  return type === "text" || type === "bytes";
}

function holdsBytes(type: ValueType): boolean {
  if (type.type === "list" || type.type === "optional") return holdsBytes(type.of);
  if (type.type === "record") return Object.values(type.fields).some(holdsBytes);
  return type.type === "bytes";
}

/**
 * Why a value of type `from` cannot be given where `to` is asked for; undefined when it fits. A text, which stands alone as its
 * UTF-8, fits bytes as it is; where JSON is asked for whoever coordinates writes it as JSON on the way.
 */
export function whyNotAssignable(from: ValueType, to: ValueType): string | undefined {
  if (from.type === "text" && to.type === "bytes") return undefined;
  if (isAlone(to) && from.type !== to.type) {
    const how = to.type === "text" ? "text(…) or print_json(…) makes one" : "utf8(print_json(…)) makes them";
    return from.type === "bytes"
      ? `${differ(from, to)}; text(…) reads them as UTF-8`
      : `${differ(from, to)}; ${how}`;
  }
  return whyNotInside(from, to);
}

function differ(from: ValueType, to: ValueType): string {
  return `${printType(from)} does not fit ${printType(to)}`;
}

/** The same inside of lists and records, where all is JSON. */
export function whyNotInside(from: ValueType, to: ValueType): string | undefined {
  if (to.type === "json")
    return holdsBytes(from) ? `${printType(from)} holds bytes, which are not JSON; use base64(…)` : undefined;
  if (to.type === "optional") {
    if (from.type === "nothing") return undefined;
    return whyNotInside(from.type === "optional" ? from.of : from, to.of);
  }
  if (from.type === "optional") return `${printType(from)} may be nothing; say with ?? what then`;
  if (from.type === "list" && to.type === "list") return whyNotInside(from.of, to.of);
  if (from.type === "record" && to.type === "record") return whyNotRecord(from.fields, to.fields);
  return from.type === to.type ? undefined : differ(from, to);
}

function whyNotRecord(
  from: Readonly<Record<string, ValueType>>,
  to: Readonly<Record<string, ValueType>>,
): string | undefined {
  for (const [name, type] of Object.entries(to)) {
    const own = Object.hasOwn(from, name) ? from[name] : undefined;
    if (own === undefined) {
      if (type.type !== "optional") return `the field "${name}" (${printType(type)}) is missing`;
      continue;
    }
    const problem = whyNotInside(own, type);
    if (problem !== undefined) return `field "${name}": ${problem}`;
  }
  return undefined;
}

/** A type that both fit inside of JSON: the wider of the two, the two with "?" where one is nothing, or any JSON. */
export function joinTypes(a: ValueType, b: ValueType): ValueType {
  if (whyNotInside(a, b) === undefined) return b;
  if (whyNotInside(b, a) === undefined) return a;
  if (a.type === "nothing") return { type: "optional", of: b };
  if (b.type === "nothing") return { type: "optional", of: a };
  if (a.type === "optional" || b.type === "optional") {
    const of = joinTypes(a.type === "optional" ? a.of : a, b.type === "optional" ? b.of : b);
    return of.type === "json" ? of : { type: "optional", of };
  }
  if (a.type === "list" && b.type === "list") return { type: "list", of: joinTypes(a.of, b.of) };
  return { type: "json" };
}

export function joinAll(types: readonly ValueType[]): ValueType {
  const [first, ...rest] = types;
  return first === undefined ? { type: "json" } : rest.reduce(joinTypes, first);
}

/** The narrowest type of a value: what a constant is where any type will do. */
export function typeOfValue(value: Value): ValueType {
  if (value === null) return { type: "nothing" };
  if (typeof value === "boolean") return { type: "boolean" };
  if (typeof value === "number") return { type: "number" };
  if (typeof value === "string") return { type: "text" };
  if (isBytes(value)) return { type: "bytes" };
  if (isList(value)) return { type: "list", of: joinAll(value.map(typeOfValue)) };
  if (!isRecord(value)) return { type: "json" };
  const fields = Object.entries(value).map(([name, each]): [string, ValueType] => [name, typeOfValue(each)]);
  return { type: "record", fields: Object.fromEntries(fields) };
}
