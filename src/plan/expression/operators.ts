import { isBytes, isList, isRecord, type Value } from "../json-value.ts";
import type { ValueType } from "../value-type.ts";
import { printType } from "../text/type-text.ts";
import { concatBytes } from "../../protocol/bytes.ts";
import {
  asBoolean,
  asNumber,
  BOOLEAN,
  common,
  type Builtin,
  finite,
  fixed,
  generic,
  JSON_TYPE,
  TypeMismatch,
} from "./builtin.ts";
import { failed, type Work } from "./work.ts";

/** Whether two values are the same all through; bytes by content, records in any order. */
export function isSame(a: Value, b: Value, work: Work): boolean {
  work.spend(1);
  if (isList(a) && isList(b))
    return a.length === b.length && a.every((each, place) => isSame(each, b[place] ?? null, work));
  if (isBytes(a) && isBytes(b)) {
    work.spend(a.length);
    return a.length === b.length && a.every((byte, place) => byte === b[place]);
  }
  if (isRecord(a) && isRecord(b)) {
    const names = Object.keys(a);
    return (
      names.length === Object.keys(b).length &&
      names.every((name) => Object.hasOwn(b, name) && isSame(a[name] ?? null, b[name] ?? null, work))
    );
  }
  if (typeof a === "string") work.spend(a.length);
  return a === b;
}

/** Order of two numbers, or of two texts by UTF-16 code unit: below 0 when `a` comes first. @throws FailureError otherwise */
export function compare(a: Value | undefined, b: Value | undefined, work: Work): number {
  work.spend(1);
  if (typeof a === "number" && typeof b === "number") return a - b;
  if (typeof a !== "string" || typeof b !== "string")
    return failed("only two numbers or two texts have an order");
  work.spend(Math.min(a.length, b.length));
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function arithmetic(name: string, about: string, of: (a: number, b: number) => number): Builtin {
  return fixed(name, "number, number → number", about, ([a, b]) => finite(of(asNumber(a), asNumber(b))));
}

function orderType(args: readonly ValueType[]): ValueType {
  const odd = args.find(({ type }) => type !== "number" && type !== "text" && type !== "json");
  if (odd !== undefined) throw new TypeMismatch(`${printType(odd)} has no order`);
  const [a, b] = args.filter(({ type }) => type !== "json");
  if (a !== undefined && b !== undefined && a.type !== b.type)
    throw new TypeMismatch(`${printType(a)} and ${printType(b)} have no common order`);
  return BOOLEAN;
}

function order(name: string, about: string, holds: (difference: number) => boolean): Builtin {
  return generic(name, [2, 2], "T, T → boolean", about, orderType, ([a, b], work) =>
    holds(compare(a, b, work)),
  );
}

function joinable(args: readonly ValueType[]): ValueType {
  const [a, b] = args;
  if (a === undefined || b === undefined) throw new TypeMismatch("two values are joined");
  const odd = args.find(({ type }) => !["text", "list", "bytes", "json"].includes(type));
  if (odd !== undefined)
    throw new TypeMismatch(`${printType(odd)} cannot be joined with ++; texts, lists and bytes can`);
  if (a.type === "json" && b.type === "json") return JSON_TYPE;
  if (a.type === "json") return b.type === "list" ? { type: "list", of: JSON_TYPE } : b;
  if (b.type === "json") return a.type === "list" ? { type: "list", of: JSON_TYPE } : a;
  if (a.type !== b.type)
    throw new TypeMismatch(`${printType(a)} and ${printType(b)} cannot be joined with ++`);
  return common(a, b);
}

function joined(a: Value | undefined, b: Value | undefined, work: Work): Value {
  if (typeof a === "string" && typeof b === "string") {
    work.spend(a.length + b.length);
    return a + b;
  }
  if (a !== undefined && b !== undefined && isList(a) && isList(b)) {
    work.spend(a.length + b.length);
    return [...a, ...b];
  }
  if (a !== undefined && b !== undefined && isBytes(a) && isBytes(b)) {
    work.spend(a.length + b.length);
    return concatBytes(a, b);
  }
  return failed("only two texts, two lists or two bytes are joined with ++");
}

/** `a ?? b` has the type of `a` without its "?", or of both. */
function otherwiseType(args: readonly ValueType[]): ValueType {
  const [a, b] = args;
  if (a === undefined || b === undefined) throw new TypeMismatch("?? stands between two values");
  if (a.type === "nothing") return b;
  return common(a.type === "optional" ? a.of : a, b);
}

const LAZY_APPLY = (): never => failed("evaluated with its operands");

export const OPERATORS: readonly Builtin[] = [
  generic(
    "==",
    [2, 2],
    "any, any → boolean",
    "The same all through.",
    () => BOOLEAN,
    ([a = null, b = null], work) => isSame(a, b, work),
  ),
  generic(
    "!=",
    [2, 2],
    "any, any → boolean",
    "Not the same.",
    () => BOOLEAN,
    ([a = null, b = null], work) => !isSame(a, b, work),
  ),
  order("<", "Before: numbers by size, texts by UTF-16 code unit.", (difference) => difference < 0),
  order("<=", "Before, or the same.", (difference) => difference <= 0),
  order(">", "After.", (difference) => difference > 0),
  order(">=", "After, or the same.", (difference) => difference >= 0),
  arithmetic("+", "Sum; fails beyond what JSON has.", (a, b) => a + b),
  arithmetic("-", "Difference.", (a, b) => a - b),
  arithmetic("*", "Product.", (a, b) => a * b),
  arithmetic("/", "Quotient; fails for 0.", (a, b) => a / b),
  arithmetic("%", "Rest of the division, with the sign of the first; fails for 0.", (a, b) => a % b),
  fixed("negate", "number → number", "Written -a.", ([a]) => 0 - asNumber(a)),
  fixed("not", "boolean → boolean", "Written !a.", ([a]) => !asBoolean(a)),
  generic(
    "++",
    [2, 2],
    "T, T → T",
    "Two texts, lists or bytes, one behind the other.",
    joinable,
    ([a, b], work) => joined(a, b, work),
  ),
  fixed(
    "&&",
    "boolean, boolean → boolean",
    "Both; the second is looked at only if the first is true.",
    LAZY_APPLY,
  ),
  fixed(
    "||",
    "boolean, boolean → boolean",
    "One of them; the second is looked at only if the first is false.",
    LAZY_APPLY,
  ),
  generic(
    "??",
    [2, 2],
    "T?, T → T",
    "The first, or the second where the first is nothing.",
    otherwiseType,
    LAZY_APPLY,
  ),
];
