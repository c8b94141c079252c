import { BOOLEAN, JSON_TYPE, listOf, NUMBER, TEXT } from "../expression/builtin.ts";
import { parseJson } from "../json-value.ts";
import { printType } from "../text/type-text.ts";
import { joinTypes, typeOfValue, whyNotInside } from "../type-relations.ts";
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

/** What several results have in common. @param say why they have nothing */
export function join(types: readonly Known[], say: (message: string) => void): Known {
  const known = types.filter((type) => type !== undefined);
  const [first, ...rest] = known;
  if (first === undefined) return undefined;
  const all = rest.reduce(joinTypes, first);
  if (known.every((type) => whyNotInside(type, all) === undefined)) return all;
  const names = [...new Set(known.map(printType))].join(" and ");
  say(`${names} have no type in common; utf8(…) turns a text into bytes, base64(…) bytes into a text`);
  return undefined;
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
