import { isBytes, type Value } from "../json-value.ts";
import type { ValueType } from "../value-type.ts";
import {
  asBoolean,
  asCount,
  asList,
  asNumbers,
  asText,
  asWhole,
  BOOLEAN,
  type Builtin,
  demand,
  elementOf,
  generic,
  listOf,
  orderedElement,
  NUMBER,
  paidText,
} from "./builtin.ts";
import { compare, isSame } from "./operators.ts";
import { sorted } from "./sorted.ts";
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
    ([of, down]) => (demand(BOOLEAN, down ?? BOOLEAN, 1), listOf(orderedElement(of, 0))),
    ([of, down = false], work) => sorted(asList(of, work), (value) => value, asBoolean(down), work),
  ),
  generic(
    "order",
    [1, 2],
    "list<T>, boolean= → list<number>",
    "The places of a list in the order in which sort would put its elements.",
    ([of, down]) => (demand(BOOLEAN, down ?? BOOLEAN, 1), orderedElement(of, 0), listOf(NUMBER)),
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
    ([of]) => orderedElement(of, 0),
    ([of], work) => extreme(of, work, (difference) => difference < 0),
  ),
  generic(
    "max",
    [1, 1],
    "list<T> → T",
    "The greatest.",
    ([of]) => orderedElement(of, 0),
    ([of], work) => extreme(of, work, (difference) => difference > 0),
  ),
];
