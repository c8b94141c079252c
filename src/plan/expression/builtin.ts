import type { Expression } from "../expression.ts";
import { isBytes, isList, isRecord, kindOf, type Value, type ValueRecord } from "../json-value.ts";
import { parseType, printType } from "../text/type-text.ts";
import { joinAll, whyNotInside } from "../type-relations.ts";
import type { ValueType } from "../value-type.ts";
import { failed, type Work } from "./work.ts";

/** A function or operator of expressions. docs/plan.md has the table of all. */
export interface Builtin {
  readonly name: string;
  /** What it takes and gives, for the table: "text, text → list<text>". */
  readonly signature: string;
  /** One sentence for people. */
  readonly about: string;
  readonly least: number;
  readonly most: number;
  /** Type of the result. @throws TypeMismatch */
  typeOf(args: readonly ValueType[], expressions: readonly Expression[]): ValueType;
  /** Number and static types of arguments may still be wrong where a type is any JSON. @throws FailureError `expression-failed` */
  apply(args: readonly Value[], work: Work): Value;
}

/** A static type that does not fit. */
export class TypeMismatch extends RangeError {}

export const TEXT: ValueType = { type: "text" };
export const NUMBER: ValueType = { type: "number" };
export const BOOLEAN: ValueType = { type: "boolean" };
export const JSON_TYPE: ValueType = { type: "json" };

export function listOf(of: ValueType): ValueType {
  return { type: "list", of };
}

/** Whether a value of the static type may be a value of the one asked for: any JSON may be anything, and shows when it is there. */
function accepts(asked: ValueType, given: ValueType): string | undefined {
  if (given.type === "json") return undefined;
  if (asked.type === "list" && given.type === "list") return accepts(asked.of, given.of);
  return whyNotInside(given, asked);
}

/** @throws TypeMismatch naming the argument. */
export function demand(asked: ValueType, given: ValueType | undefined, place: number): void {
  const problem = given === undefined ? "is missing" : accepts(asked, given);
  if (problem !== undefined) throw new TypeMismatch(`argument ${place + 1}: ${problem}`);
}

/** What a list holds; any JSON where that is not known. @throws TypeMismatch */
export function elementOf(given: ValueType | undefined, place: number): ValueType {
  if (given?.type === "list") return given.of;
  if (given?.type === "json") return JSON_TYPE;
  throw new TypeMismatch(
    `argument ${place + 1}: ${given === undefined ? "is missing" : `${printType(given)} is not a list`}`,
  );
}

/** A type that all of these fit. @throws TypeMismatch where there is none, because one holds bytes. */
export function common(...types: readonly ValueType[]): ValueType {
  const join = joinAll(types);
  const odd = types.find((type) => whyNotInside(type, join) !== undefined);
  if (odd === undefined) return join;
  throw new TypeMismatch(`${types.map(printType).join(" and ")} have no type in common`);
}

/** Elements that have an order: all numbers, or all texts. @throws TypeMismatch */
export function orderedElement(given: ValueType | undefined, place: number): ValueType {
  return ordered(elementOf(given, place), place);
}

/** @throws TypeMismatch where values of the type have no order. */
export function ordered(type: ValueType, place: number): ValueType {
  if (type.type === "number" || type.type === "text" || type.type === "json") return type;
  const how = type.type === "optional" ? "; present(…) leaves out what is nothing" : "";
  throw new TypeMismatch(`argument ${place + 1}: values of type ${printType(type)} have no order${how}`);
}

type Apply = (args: readonly Value[], work: Work) => Value;

/** A builtin whose types are the same every time. @param signature as in "text, text → list<text>"; optional arguments end in "=". */
export function fixed(name: string, signature: string, about: string, apply: Apply): Builtin {
  const [before = "", after = ""] = signature.split(" → ");
  const words = before === "" ? [] : before.split(", ");
  const asked = words.map((word) => parseType(word.replace("=", "")));
  const result = parseType(after);
  return {
    name,
    signature,
    about,
    least: words.filter((word) => !word.endsWith("=")).length,
    most: words.length,
    typeOf(args) {
      for (const [place, given] of args.entries()) demand(asked[place] ?? JSON_TYPE, given, place);
      return result;
    },
    apply,
  };
}

/** A builtin whose result depends on what it is given. */
export function generic(
  name: string,
  [least, most]: readonly [number, number],
  signature: string,
  about: string,
  typeOf: Builtin["typeOf"],
  apply: Apply,
): Builtin {
  return { name, signature, about, least, most, typeOf, apply };
}

function wrong(value: Value | undefined, what: string): never {
  return failed(
    `${value === undefined ? "an argument is missing where" : `there is ${kindOf(value)} where`} ${what} is expected`,
  );
}

export function asText(value: Value | undefined): string {
  return typeof value === "string" ? value : wrong(value, "a text");
}

export function asNumber(value: Value | undefined): number {
  return typeof value === "number" ? value : wrong(value, "a number");
}

/** A finite result. */
export function finite(value: number): number {
  return Number.isFinite(value) ? value : failed("the result is not a number that JSON has");
}

export function asWhole(value: Value | undefined): number {
  return typeof value === "number" && Number.isSafeInteger(value) ? value : wrong(value, "a whole number");
}

export function asCount(value: Value | undefined): number {
  const count = asWhole(value);
  return count >= 0 ? count : failed(`${count} is below 0`);
}

export function asBoolean(value: Value | undefined): boolean {
  return typeof value === "boolean" ? value : wrong(value, "true or false");
}

export function asBytes(value: Value | undefined): Uint8Array {
  return value !== undefined && isBytes(value) ? value : wrong(value, "bytes");
}

/** Paid for by its length. */
export function asList(value: Value | undefined, work: Work): readonly Value[] {
  if (value === undefined || !isList(value)) return wrong(value, "a list");
  work.spend(value.length);
  return value;
}

export function asNumbers(value: Value | undefined, work: Work): readonly number[] {
  return asList(value, work).map(asNumber);
}

export function asTexts(value: Value | undefined, work: Work): readonly string[] {
  return asList(value, work).map(asText);
}

export function asRecord(value: Value | undefined): ValueRecord {
  return value !== undefined && isRecord(value) ? value : wrong(value, "a record");
}

/** Paid for by its length. */
export function paidText(value: Value | undefined, work: Work): string {
  const text = asText(value);
  work.spend(text.length);
  return text;
}
