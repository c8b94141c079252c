import { isBytes, isList, isRecord, type Value } from "../json-value.ts";
import { printType } from "../text/type-text.ts";
import { joinTypes } from "../type-relations.ts";
import type { ValueType } from "../value-type.ts";
import type { Expression } from "../expression.ts";
import {
  asBoolean,
  asBytes,
  asCount,
  asList,
  asNumbers,
  asRecord,
  asText,
  asWhole,
  BOOLEAN,
  type Builtin,
  demand,
  elementOf,
  finite,
  fixed,
  generic,
  JSON_TYPE,
  listOf,
  NUMBER,
  paidText,
  TypeMismatch,
} from "./builtin.ts";
import { compare, isSame } from "./operators.ts";
import { range } from "./text-builtins.ts";
import { failed, type Work } from "./work.ts";

type Types = readonly ValueType[];

/** The first argument's own type, which is a list; further arguments are whole numbers. */
function sameList(args: Types): ValueType {
  for (const [place, given] of args.slice(1).entries()) demand(NUMBER, given, place + 1);
  return listOf(elementOf(args[0], 0));
}

function sliceType(args: Types): ValueType {
  const [of] = args;
  for (const [place, given] of args.slice(1).entries()) demand(NUMBER, given, place + 1);
  return of?.type === "text" || of?.type === "bytes" ? of : listOf(elementOf(of, 0));
}

function sliced(args: readonly Value[], work: Work): Value {
  const [of = null, from = 0, to] = args;
  const part = <T>(
    values: ArrayLike<T> & { slice(from: number, to: number): unknown },
  ): readonly [number, number] =>
    range(values.length, asWhole(from), to === undefined ? values.length : asWhole(to));
  if (typeof of === "string") {
    const characters = Array.from(paidText(of, work));
    return characters.slice(...part(characters)).join("");
  }
  if (isBytes(of)) return of.slice(...part(of));
  const values = asList(of, work);
  return values.slice(...part(values));
}

function flattened(of: Value | undefined, work: Work): Value {
  return asList(of, work).flatMap((each) => asList(each, work));
}

function chunked(of: Value | undefined, size: number, work: Work): Value {
  if (size < 1) return failed("chunks have at least one element");
  const values = asList(of, work);
  return Array.from({ length: Math.ceil(values.length / size) }, (_, place) =>
    values.slice(place * size, (place + 1) * size),
  );
}

function zipped(a: Value | undefined, b: Value | undefined, work: Work): Value {
  const [left, right] = [asList(a, work), asList(b, work)];
  if (left.length !== right.length)
    return failed(`zip takes lists of the same length, not of ${left.length} and ${right.length}`);
  return left.map((first, place) => ({ first, second: right[place] ?? null }));
}

/** Stable. */
function sorted(
  values: readonly Value[],
  keyOf: (value: Value) => Value,
  descending: boolean,
  work: Work,
): readonly Value[] {
  work.spend(values.length * Math.ceil(Math.log2(values.length + 2)));
  const keyed = values.map((value) => ({ value, key: keyOf(value) }));
  const sign = descending ? -1 : 1;
  return keyed.toSorted((a, b) => sign * compare(a.key, b.key, work)).map(({ value }) => value);
}

function fieldOf(value: Value, name: string): Value {
  const record = asRecord(value);
  const field = Object.hasOwn(record, name) ? record[name] : undefined;
  return field ?? (Object.hasOwn(record, name) ? null : failed(`a record has no field "${name}"`));
}

/** The name that a constant argument gives; undefined where it is computed. */
function constantName(expression: Expression | undefined): string | undefined {
  if (expression?.op !== "constant") return undefined;
  const name: unknown = JSON.parse(expression.json);
  return typeof name === "string" ? name : undefined;
}

/** Type of a field of records of this type. @throws TypeMismatch where it is known that there is none. */
function fieldType(of: ValueType, name: string | undefined): ValueType {
  if (of.type === "json" || name === undefined) return JSON_TYPE;
  if (of.type !== "record") throw new TypeMismatch(`${printType(of)} has no fields`);
  const field = Object.hasOwn(of.fields, name) ? of.fields[name] : undefined;
  if (field === undefined) throw new TypeMismatch(`${printType(of)} has no field "${name}"`);
  return field;
}

function uniqueOf(of: Value | undefined, work: Work): Value {
  const kept: Value[] = [];
  const plain = new Set<Value>();
  for (const each of asList(of, work)) {
    if (typeof each !== "object" || each === null) {
      if (!plain.has(each)) kept.push(each);
      plain.add(each);
    } else if (!kept.some((before) => isSame(before, each, work))) kept.push(each);
  }
  return kept;
}

function picked(of: Value | undefined, places: readonly number[], work: Work): Value {
  const values = asList(of, work);
  return places.map((place) => {
    const value = values[place < 0 ? values.length + place : place];
    if (value === undefined) return failed(`there is no place ${place} in a list of ${values.length}`);
    work.spendFor(value);
    return value;
  });
}

function found(of: Value | undefined, what: Value, work: Work): number {
  if (typeof of !== "string") return asList(of, work).findIndex((each) => isSame(each, what, work));
  const at = paidText(of, work).indexOf(asText(what));
  return at < 0 ? at : Array.from(of.slice(0, at)).length;
}

function findType(result: ValueType): (args: Types) => ValueType {
  return ([of, what]) => {
    if (of?.type === "text") demand(of, what, 1);
    else elementOf(of, 0);
    return result;
  };
}

function extreme(of: Value | undefined, work: Work, isBetter: (difference: number) => boolean): Value {
  const [first, ...rest] = asList(of, work);
  if (first === undefined) return failed("an empty list has no least or greatest element");
  return rest.reduce((best, each) => (isBetter(compare(each, best, work)) ? each : best), first);
}

function dot(a: readonly number[], b: readonly number[]): number {
  if (a.length !== b.length)
    return failed(`vectors of ${a.length} and ${b.length} numbers do not go together`);
  return finite(a.reduce((sum, each, place) => sum + each * (b[place] ?? 0), 0));
}

function cosine(a: readonly number[], b: readonly number[]): number {
  const lengths = Math.sqrt(dot(a, a)) * Math.sqrt(dot(b, b));
  return lengths === 0 ? 0 : dot(a, b) / lengths;
}

export const LIST_BUILTINS: readonly Builtin[] = [
  generic(
    "slice",
    [2, 3],
    "T, number, number= → T",
    "Part of a text, list or bytes from the first place up to, not with, the second; negative ones count from the end.",
    sliceType,
    sliced,
  ),
  generic("take", [2, 2], "list<T>, number → list<T>", "The first so many.", sameList, ([of, count], work) =>
    asList(of, work).slice(0, asCount(count)),
  ),
  generic(
    "drop",
    [2, 2],
    "list<T>, number → list<T>",
    "All but the first so many.",
    sameList,
    ([of, count], work) => asList(of, work).slice(asCount(count)),
  ),
  generic("reverse", [1, 1], "list<T> → list<T>", "From the end to the beginning.", sameList, ([of], work) =>
    asList(of, work).toReversed(),
  ),
  generic(
    "flatten",
    [1, 1],
    "list<list<T>> → list<T>",
    "All lists of a list, one behind the other.",
    ([of]) => listOf(elementOf(elementOf(of, 0), 0)),
    ([of], work) => flattened(of, work),
  ),
  generic(
    "chunk",
    [2, 2],
    "list<T>, number → list<list<T>>",
    "Lists of so many each; the last may be shorter.",
    (args) => listOf(sameList(args)),
    ([of, size], work) => chunked(of, asCount(size), work),
  ),
  generic(
    "zip",
    [2, 2],
    "list<A>, list<B> → list<{first: A, second: B}>",
    "Pairs of two lists of the same length.",
    ([a, b]) => listOf({ type: "record", fields: { first: elementOf(a, 0), second: elementOf(b, 1) } }),
    ([a, b], work) => zipped(a, b, work),
  ),
  generic(
    "enumerate",
    [1, 1],
    "list<T> → list<{index: number, item: T}>",
    "Each with its place from 0.",
    ([of]) => listOf({ type: "record", fields: { index: NUMBER, item: elementOf(of, 0) } }),
    ([of], work) => asList(of, work).map((item, index) => ({ index, item })),
  ),
  generic(
    "sort",
    [1, 2],
    "list<T>, boolean= → list<T>",
    "Numbers by size or texts by UTF-16 code unit; with true from the greatest down. Equal ones keep their order.",
    ([of, down]) => (demand(BOOLEAN, down ?? BOOLEAN, 1), listOf(elementOf(of, 0))),
    ([of, down = false], work) => sorted(asList(of, work), (value) => value, asBoolean(down), work),
  ),
  generic(
    "sort_by",
    [2, 3],
    "list<record>, text, boolean= → list<record>",
    "Records by one of their fields.",
    ([of, , down], [, name]) => {
      demand(BOOLEAN, down ?? BOOLEAN, 2);
      fieldType(elementOf(of, 0), constantName(name));
      return listOf(elementOf(of, 0));
    },
    ([of, name, down = false], work) =>
      sorted(asList(of, work), (value) => fieldOf(value, asText(name)), asBoolean(down), work),
  ),
  generic(
    "order",
    [1, 2],
    "list<T>, boolean= → list<number>",
    "The places of a list in the order in which sort would put its elements.",
    ([of, down]) => (demand(BOOLEAN, down ?? BOOLEAN, 1), elementOf(of, 0), listOf(NUMBER)),
    ([of, down = false], work) => {
      const values = asList(of, work);
      return sorted([...values.keys()], (place) => values[asWhole(place)] ?? null, asBoolean(down), work);
    },
  ),
  generic(
    "pick",
    [2, 2],
    "list<T>, list<number> → list<T>",
    "The elements at these places.",
    ([of, places]) => (demand(listOf(NUMBER), places, 1), listOf(elementOf(of, 0))),
    ([of, places], work) => picked(of, asNumbers(places, work), work),
  ),
  generic(
    "pluck",
    [2, 2],
    "list<{name: T}>, text → list<T>",
    "One field of each record.",
    ([of], [, name]) => listOf(fieldType(elementOf(of, 0), constantName(name))),
    ([of, name], work) => asList(of, work).map((each) => fieldOf(each, asText(name))),
  ),
  generic(
    "filter_by",
    [3, 3],
    "list<record>, text, any → list<record>",
    "Those whose field is the same as the third.",
    ([of], [, name]) => {
      fieldType(elementOf(of, 0), constantName(name));
      return listOf(elementOf(of, 0));
    },
    ([of, name, what = null], work) =>
      asList(of, work).filter((each) => isSame(fieldOf(each, asText(name)), what, work)),
  ),
  generic(
    "present",
    [1, 1],
    "list<T?> → list<T>",
    "Without those that are nothing.",
    ([of]) => {
      const element = elementOf(of, 0);
      return listOf(element.type === "optional" ? element.of : element);
    },
    ([of], work) => asList(of, work).filter((each) => each !== null),
  ),
  generic("unique", [1, 1], "list<T> → list<T>", "Each once, where it came first.", sameList, ([of], work) =>
    uniqueOf(of, work),
  ),
  generic(
    "contains",
    [2, 2],
    "text | list, any → boolean",
    "Whether a text or list has the second in it.",
    findType(BOOLEAN),
    ([of, what = null], work) => found(of, what, work) >= 0,
  ),
  generic(
    "index_of",
    [2, 2],
    "text | list, any → number",
    "Where the second stands first, from 0; -1 where it does not.",
    findType(NUMBER),
    ([of, what = null], work) => found(of, what, work),
  ),
  generic(
    "at",
    [2, 2],
    "list<T>, number → T?",
    "The element at a place, or nothing where there is none; [ ] fails there.",
    ([of, place]) => (demand(NUMBER, place, 1), { type: "optional", of: elementOf(of, 0) }),
    ([of, place], work) => asList(of, work).at(asWhole(place)) ?? null,
  ),
  generic(
    "min",
    [1, 1],
    "list<T> → T",
    "The least number or text; fails for an empty list.",
    ([of]) => elementOf(of, 0),
    ([of], work) => extreme(of, work, (difference) => difference < 0),
  ),
  generic(
    "max",
    [1, 1],
    "list<T> → T",
    "The greatest.",
    ([of]) => elementOf(of, 0),
    ([of], work) => extreme(of, work, (difference) => difference > 0),
  ),
  fixed("sum", "list<number> → number", "From left to right.", ([of], work) =>
    finite(asNumbers(of, work).reduce((sum, each) => sum + each, 0)),
  ),
  fixed("mean", "list<number> → number", "Sum by count; fails for an empty list.", ([of], work) => {
    const numbers = asNumbers(of, work);
    return numbers.length === 0
      ? failed("an empty list has no mean")
      : finite(numbers.reduce((sum, each) => sum + each, 0) / numbers.length);
  }),
  fixed(
    "dot",
    "list<number>, list<number> → number",
    "Sum of the products, from left to right.",
    ([a, b], work) => dot(asNumbers(a, work), asNumbers(b, work)),
  ),
  fixed(
    "cosine",
    "list<number>, list<number> → number",
    "How alike two directions are, from -1 to 1; 0 for a vector of zeros.",
    ([a, b], work) => cosine(asNumbers(a, work), asNumbers(b, work)),
  ),
  fixed(
    "cosines",
    "list<number>, list<list<number>> → list<number>",
    "The cosine of the first with each of the others.",
    ([a, others], work) => {
      const query = asNumbers(a, work);
      return asList(others, work).map((each) => {
        work.spend(3 * query.length);
        return cosine(query, asNumbers(each, work));
      });
    },
  ),
  fixed("to_bytes", "list<number> → bytes", "Bytes of whole numbers from 0 to 255.", ([of], work) => {
    const numbers = asNumbers(of, work);
    const odd = numbers.find((each) => !Number.isInteger(each) || each < 0 || each > 255);
    return odd === undefined ? Uint8Array.from(numbers) : failed(`${odd} is not a byte`);
  }),
  fixed("from_bytes", "bytes → list<number>", "Whole numbers from 0 to 255.", ([of], work) => {
    work.spend(asBytes(of).length);
    return [...asBytes(of)];
  }),
  generic(
    "merge",
    [2, 2],
    "record, record → record",
    "Both, the second one's fields before the first one's.",
    ([a, b]) => {
      if (a?.type !== "record" || b?.type !== "record") {
        demand({ type: "record", fields: {} }, a, 0);
        demand({ type: "record", fields: {} }, b, 1);
        return JSON_TYPE;
      }
      const fields = { ...a.fields };
      for (const [name, type] of Object.entries(b.fields)) {
        const own = fields[name];
        fields[name] = type.type === "optional" && own !== undefined ? joinTypes(own, type) : type;
      }
      return { type: "record", fields };
    },
    ([a, b]) => ({ ...asRecord(a), ...asRecord(b) }),
  ),
  generic(
    "keys",
    [1, 1],
    "record → list<text>",
    "Names of its fields, sorted by UTF-16 code unit.",
    ([of]) => {
      if (of?.type !== "json" && of?.type !== "record") throw new TypeMismatch("argument 1 has no fields");
      return listOf({ type: "text" });
    },
    ([of], work) => {
      const names = Object.keys(asRecord(of));
      work.spend(names.length);
      return names.toSorted();
    },
  ),
  generic(
    "get",
    [2, 2],
    "record, text → T?",
    "A field, or nothing where it is missing; a dot fails there.",
    ([of], [, name]) => {
      const known = constantName(name);
      if (of?.type === "record" && known !== undefined && Object.hasOwn(of.fields, known)) {
        const own = of.fields[known] ?? JSON_TYPE;
        return own.type === "optional" ? own : { type: "optional", of: own };
      }
      if (of?.type !== "json" && of?.type !== "record") throw new TypeMismatch("argument 1 has no fields");
      return JSON_TYPE;
    },
    ([of, name]) => {
      const record = asRecord(of);
      const key = asText(name);
      return Object.hasOwn(record, key) ? (record[key] ?? null) : null;
    },
  ),
  generic(
    "has",
    [2, 2],
    "record, text → boolean",
    "Whether there is such a field.",
    ([of]) => {
      if (of?.type !== "json" && of?.type !== "record") throw new TypeMismatch("argument 1 has no fields");
      return BOOLEAN;
    },
    ([of, name]) => {
      const value = of ?? null;
      return isRecord(value) && !isList(value) && Object.hasOwn(value, asText(name));
    },
  ),
];
