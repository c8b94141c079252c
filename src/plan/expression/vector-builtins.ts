import { asBytes, asList, asNumbers, type Builtin, finite, fixed } from "./builtin.ts";
import { failed } from "./work.ts";

function dot(a: readonly number[], b: readonly number[]): number {
  if (a.length !== b.length)
    return failed(`vectors of ${a.length} and ${b.length} numbers do not go together`);
  return finite(a.reduce((sum, each, place) => sum + each * (b[place] ?? 0), 0));
}

function cosine(a: readonly number[], b: readonly number[]): number {
  const lengths = Math.sqrt(dot(a, a)) * Math.sqrt(dot(b, b));
  return lengths === 0 ? 0 : dot(a, b) / lengths;
}

/** Lists of numbers: vectors, and bytes one by one. */
export const VECTOR_BUILTINS: readonly Builtin[] = [
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
];
