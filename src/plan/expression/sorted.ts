import type { Value } from "../json-value.ts";
import { compare } from "./operators.ts";
import type { Work } from "./work.ts";

/** Values by their keys; equal ones keep their order. @throws FailureError for keys that have no common order. */
export function sorted(
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
