import { BOOLEAN, JSON_TYPE, listOf, NUMBER, TEXT } from "../expression/builtin.ts";
import { parseJson } from "../json-value.ts";
import { joinTypes, typeOfValue } from "../type-relations.ts";
import type { ValueType } from "../value-type.ts";

/** A type, or undefined where it is not known, or where no value ever comes. */
export type Known = ValueType | undefined;

/** What a failed graph tells its fallback. */
export const FAILURE_TYPE: ValueType = {
  type: "record",
  fields: { code: NUMBER, name: TEXT, detail: TEXT, node: TEXT },
};
export const SEEN: ValueType = listOf({
  type: "record",
  fields: { node: TEXT, iteration: TEXT, done: BOOLEAN, value: { type: "optional", of: JSON_TYPE } },
});

/** What two results have in common. */
export function join(a: Known, b: Known): Known {
  return a === undefined || b === undefined ? (a ?? b) : joinTypes(a, b);
}

/** @param say what is wrong with it */
export function constantType(json: string, say: (message: string) => void): Known {
  try {
    return typeOfValue(parseJson(json));
  } catch {
    say("the constant is not JSON");
    return undefined;
  }
}

/** Names to choose from, behind a complaint. */
export function listed(names: readonly string[]): string {
  if (names.length === 0) return "";
  return names.length > 12
    ? `; there are ${names.slice(0, 12).join(", ")} and more`
    : `; there are ${names.join(", ")}`;
}
