import type { Expression } from "../expression.ts";
import { isList, isRecord, kindOf, parseJson, type Value } from "../json-value.ts";
import { MAX_EXPRESSION_WORK } from "../limits.ts";
import { asBoolean } from "./builtin.ts";
import { BUILTINS } from "./builtins.ts";
import { failed, Work } from "./work.ts";

export type Names = Readonly<Record<string, Value>>;

/**
 * The value of an expression. Pure and the same on every machine: no clock, no chance, nothing of an engine's own.
 * @param work units that it may take at most (MAX_EXPRESSION_WORK says what a unit is)
 * @throws FailureError `expression-failed` saying what went wrong.
 */
export function evaluate(expression: Expression, names: Names, work: number = MAX_EXPRESSION_WORK): Value {
  return valueOf(expression, names, new Work(work));
}

function valueOf(expression: Expression, names: Names, work: Work): Value {
  work.spend(1);
  switch (expression.op) {
    case "constant":
      return parseJson(expression.json);
    case "name": {
      const value = Object.hasOwn(names, expression.name) ? names[expression.name] : undefined;
      return value ?? (value === null ? null : failed(`there is no name "${expression.name}"`));
    }
    case "field":
      return fieldOf(valueOf(expression.of, names, work), expression.name);
    case "item":
      return itemOf(valueOf(expression.of, names, work), valueOf(expression.index, names, work));
    case "list":
      return expression.items.map((item) => valueOf(item, names, work));
    case "record":
      return Object.fromEntries(
        Object.entries(expression.fields).map(([name, field]) => [name, valueOf(field, names, work)]),
      );
    case "if":
      return asBoolean(valueOf(expression.condition, names, work))
        ? valueOf(expression.then, names, work)
        : valueOf(expression.otherwise, names, work);
    case "call":
      return called(expression.name, expression.args, names, work);
    default:
      return expression satisfies never;
  }
}

function fieldOf(of: Value, name: string): Value {
  if (!isRecord(of)) return failed(`${kindOf(of)} has no field "${name}"`);
  const field = Object.hasOwn(of, name) ? of[name] : undefined;
  return field ?? (field === null ? null : failed(`the record has no field "${name}"`));
}

function itemOf(of: Value, index: Value): Value {
  if (isRecord(of) && typeof index === "string") return fieldOf(of, index);
  if (!isList(of)) return failed(`${kindOf(of)} has no places`);
  if (typeof index !== "number" || !Number.isInteger(index)) return failed("a place is a whole number");
  const item = of.at(index);
  return item ?? (item === null ? null : failed(`there is no place ${index} in a list of ${of.length}`));
}

function called(name: string, args: readonly Expression[], names: Names, work: Work): Value {
  const builtin = BUILTINS.get(name);
  if (builtin === undefined) return failed(`there is no function "${name}"`);
  if (args.length < builtin.least || args.length > builtin.most)
    return failed(`${name} takes ${builtin.signature.split(" → ")[0]}, not ${args.length} arguments`);
  const [first, second] = args;
  if (first !== undefined && second !== undefined) {
    if (name === "&&")
      return asBoolean(valueOf(first, names, work)) && asBoolean(valueOf(second, names, work));
    if (name === "||")
      return asBoolean(valueOf(first, names, work)) || asBoolean(valueOf(second, names, work));
    if (name === "??") return valueOf(first, names, work) ?? valueOf(second, names, work);
  }
  return explained(name, () =>
    builtin.apply(
      args.map((arg) => valueOf(arg, names, work)),
      work,
    ),
  );
}

/** Stack depth is bounded by MAX_EXPRESSION_DEPTH; a value that is too large for the engine is a failure like any other. */
function explained(name: string, apply: () => Value): Value {
  try {
    return apply();
  } catch (error) {
    if (error instanceof RangeError) return failed(`${name} makes something too large`);
    throw error;
  }
}
