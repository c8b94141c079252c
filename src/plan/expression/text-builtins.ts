import { isBytes, isList, isRecord, textOf, type Value } from "../json-value.ts";
import {
  asCount,
  asNumber,
  asText,
  asTexts,
  asWhole,
  type Builtin,
  fixed,
  generic,
  NUMBER,
  paidText,
  TEXT,
  TypeMismatch,
} from "./builtin.ts";
import { failed, type Work } from "./work.ts";
import { printType } from "../text/type-text.ts";
import type { ValueType } from "../value-type.ts";

/** Blanks of ASCII: what other alphabets take for a blank changes with the edition of Unicode, and with it results would. */
const EDGE = /^[\t-\r ]+|[\t-\r ]+$/gu;

/** Places are counted in characters (code points); a negative one from the end. */
export function range(length: number, from: number, to: number): readonly [from: number, to: number] {
  const clip = (place: number): number => Math.min(Math.max(place < 0 ? length + place : place, 0), length);
  return [clip(from), clip(to)];
}

function replaced(text: string, what: string, by: string, work: Work): string {
  if (what === "") return failed("replace looks for a text of no characters");
  let count = 0;
  for (let at = text.indexOf(what); at >= 0; at = text.indexOf(what, at + what.length)) count += 1;
  work.spend(count * by.length);
  return text.replaceAll(what, () => by);
}

function splitText(text: string, by: string): readonly string[] {
  return by === "" ? Array.from(text) : text.split(by);
}

/** The text of a number, boolean, text or of UTF-8. */
function asPlainText(value: Value | undefined, work: Work): string {
  if (value === undefined || value === null || isList(value) || isRecord(value))
    return failed("only texts, numbers, booleans and bytes become text; print_json(…) takes all others");
  if (typeof value === "string") return paidText(value, work);
  if (!isBytes(value)) return String(value);
  work.spend(value.length);
  return textOf(value);
}

function plainTextType(args: readonly ValueType[]): ValueType {
  const odd = args.find(
    ({ type }) => type === "list" || type === "record" || type === "nothing" || type === "optional",
  );
  if (odd !== undefined)
    throw new TypeMismatch(`argument 1: ${printType(odd)} has no plain text; print_json(…) has`);
  return TEXT;
}

function lengthType(args: readonly ValueType[]): ValueType {
  const odd = args.find(({ type }) => !["text", "list", "bytes", "record", "json"].includes(type));
  if (odd !== undefined) throw new TypeMismatch(`argument 1: ${printType(odd)} has no length`);
  return NUMBER;
}

function lengthOf(value: Value | undefined, work: Work): number {
  if (typeof value === "string") {
    work.spend(value.length);
    let count = 0;
    for (const _ of value) count += 1;
    return count;
  }
  if (value === undefined || value === null || typeof value !== "object")
    return failed("only texts, bytes, lists and records have a length");
  return isList(value) || isBytes(value) ? value.length : Object.keys(value).length;
}

function padded(text: string, length: number, by: string, work: Work): string {
  if (by.length !== 1) return failed("pad_start fills with one character");
  work.spend(length + text.length);
  return text.padStart(length, by);
}

function parsedNumber(text: string): number {
  const plain = text.replaceAll(EDGE, "");
  if (!/^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/u.test(plain))
    return failed(`"${text.slice(0, 40)}" is not a number`);
  const value = Number(plain);
  return Number.isFinite(value) ? value : failed(`"${text.slice(0, 40)}" is too large for a number`);
}

export const TEXT_BUILTINS: readonly Builtin[] = [
  generic(
    "length",
    [1, 1],
    "text | list | bytes | record → number",
    "Characters (code points), elements, bytes or fields.",
    lengthType,
    ([of], work) => lengthOf(of, work),
  ),
  generic(
    "text",
    [1, 1],
    "any → text",
    "A number, true, false or JSON text as text; bytes as UTF-8.",
    plainTextType,
    ([of], work) => asPlainText(of, work),
  ),
  fixed(
    "number",
    "text → number",
    "Reads a number as JSON writes it; blanks around it are skipped.",
    ([of], work) => parsedNumber(paidText(of, work)),
  ),
  fixed(
    "format",
    "number, number → text",
    "With so many digits behind the point, 0 to 20.",
    ([of, digits]) => {
      const places = asCount(digits);
      return places <= 20 ? asNumber(of).toFixed(places) : failed("format writes 20 digits at most");
    },
  ),
  fixed(
    "split",
    "text, text → list<text>",
    "At every place where the second stands; between all characters if it is empty.",
    ([of, by], work) => splitText(paidText(of, work), paidText(by, work)),
  ),
  fixed("join", "list<text>, text → text", "All of them with the second in between.", ([of, by], work) => {
    const parts = asTexts(of, work);
    const between = asText(by);
    work.spend(parts.reduce((sum, part) => sum + part.length + between.length, 0));
    return parts.join(between);
  }),
  fixed(
    "lines",
    "text → list<text>",
    "Split at line ends (LF or CRLF); an empty last line is left out.",
    ([of], work) => {
      const parts = paidText(of, work).split(/\r?\n/u);
      return parts.at(-1) === "" ? parts.slice(0, -1) : parts;
    },
  ),
  fixed("words", "text → list<text>", "Split at blanks of ASCII; no empty ones.", ([of], work) =>
    paidText(of, work)
      .split(/[\t-\r ]+/u)
      .filter((word) => word !== ""),
  ),
  fixed("trim", "text → text", "Without blanks of ASCII at both ends.", ([of], work) =>
    paidText(of, work).replaceAll(EDGE, ""),
  ),
  fixed("lower", "text → text", "A to Z become a to z; other letters stay.", ([of], work) =>
    paidText(of, work).replaceAll(/[A-Z]+/gu, (letters) => letters.toLowerCase()),
  ),
  fixed("upper", "text → text", "a to z become A to Z; other letters stay.", ([of], work) =>
    paidText(of, work).replaceAll(/[a-z]+/gu, (letters) => letters.toUpperCase()),
  ),
  fixed(
    "replace",
    "text, text, text → text",
    "Every place where the second stands, by the third.",
    ([of, what, by], work) => replaced(paidText(of, work), asText(what), asText(by), work),
  ),
  fixed(
    "starts_with",
    "text, text → boolean",
    "Whether the first begins with the second.",
    ([of, what], work) => asText(of).startsWith(paidText(what, work)),
  ),
  fixed("ends_with", "text, text → boolean", "Whether the first ends with the second.", ([of, what], work) =>
    asText(of).endsWith(paidText(what, work)),
  ),
  fixed("repeat", "text, number → text", "So many times.", ([of, times], work) => {
    const text = asText(of);
    const count = asCount(times);
    work.spend(text.length * count);
    return text.repeat(count);
  }),
  fixed(
    "pad_start",
    "text, number, text → text",
    "Filled up at its beginning with one character, to so many UTF-16 units.",
    ([of, length, by], work) => padded(asText(of), asCount(length), asText(by), work),
  ),
  fixed("code_points", "text → list<number>", "Unicode numbers of its characters.", ([of], work) =>
    Array.from(paidText(of, work), (character) => character.codePointAt(0) ?? 0),
  ),
  fixed(
    "round",
    "number → number",
    "To the nearest whole number; halves upwards.",
    ([of]) => Math.round(asNumber(of)) + 0,
  ),
  fixed("floor", "number → number", "The whole number below.", ([of]) => Math.floor(asNumber(of)) + 0),
  fixed("ceil", "number → number", "The whole number above.", ([of]) => Math.ceil(asNumber(of)) + 0),
  fixed("abs", "number → number", "Without its sign.", ([of]) => Math.abs(asNumber(of))),
  fixed("sqrt", "number → number", "Square root; fails below 0.", ([of]) => {
    const value = asNumber(of);
    return value >= 0 ? Math.sqrt(value) : failed("numbers below 0 have no square root");
  }),
  fixed(
    "range",
    "number, number → list<number>",
    "Whole numbers from the first up to, not with, the second.",
    ([from, to], work) => {
      const first = asWhole(from);
      const count = Math.max(asWhole(to) - first, 0);
      work.spend(count);
      return Array.from({ length: count }, (_, place) => first + place);
    },
  ),
];
