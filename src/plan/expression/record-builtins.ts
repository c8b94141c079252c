import type { Expression } from "../expression.ts";
import { isList, isRecord, type Value } from "../json-value.ts";
import { printType } from "../text/type-text.ts";
import type { ValueType } from "../value-type.ts";
import {
  asBoolean,
  asList,
  asRecord,
  asText,
  BOOLEAN,
  common,
  type Builtin,
  demand,
  elementOf,
  generic,
  JSON_TYPE,
  listOf,
  ordered,
  TypeMismatch,
} from "./builtin.ts";
import { isSame } from "./operators.ts";
import { sorted } from "./sorted.ts";
import { failed } from "./work.ts";

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

/** Records, and lists of records. */
export const RECORD_BUILTINS: readonly Builtin[] = [
  generic(
    "sort_by",
    [2, 3],
    "list<record>, text, boolean= → list<record>",
    "Records by one of their fields.",
    ([of, , down], [, name]) => {
      demand(BOOLEAN, down ?? BOOLEAN, 2);
      ordered(fieldType(elementOf(of, 0), constantName(name)), 0);
      return listOf(elementOf(of, 0));
    },
    ([of, name, down = false], work) =>
      sorted(asList(of, work), (value) => fieldOf(value, asText(name)), asBoolean(down), work),
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
        fields[name] = type.type === "optional" && own !== undefined ? common(own, type) : type;
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
