import type { Expression } from "../expression.ts";
import { parseJson } from "../json-value.ts";
import { MAX_EXPRESSION_DEPTH } from "../limits.ts";
import { printType } from "../text/type-text.ts";
import { typeOfValue } from "../type-relations.ts";
import type { ValueType } from "../value-type.ts";
import { BOOLEAN, common, demand, elementOf, JSON_TYPE, TypeMismatch } from "./builtin.ts";
import { BUILTINS } from "./builtins.ts";
import { printExpression } from "./print-expression.ts";

/**
 * The type of an expression's value, which is also how the value is encoded: part of what docs/plan.md lays down.
 * @throws TypeMismatch naming the part that does not fit.
 */
export function typeOfExpression(
  expression: Expression,
  names: Readonly<Record<string, ValueType>>,
): ValueType {
  switch (expression.op) {
    case "constant":
      return typeOfValue(parseJson(expression.json));
    case "name": {
      const type = Object.hasOwn(names, expression.name) ? names[expression.name] : undefined;
      if (type !== undefined) return type;
      const known = Object.keys(names).join(", ");
      throw new TypeMismatch(
        `there is no name "${expression.name}" here; ${known === "" ? "nothing is given" : `there are ${known}`}`,
      );
    }
    case "field":
      return fieldType(typeOfExpression(expression.of, names), expression.name);
    case "item":
      return itemType(expression, names);
    case "list":
      return { type: "list", of: common(...expression.items.map((item) => typeOfExpression(item, names))) };
    case "record":
      return {
        type: "record",
        fields: Object.fromEntries(
          Object.entries(expression.fields).map(([name, field]) => [name, typeOfExpression(field, names)]),
        ),
      };
    case "if":
      located(expression, () => demand(BOOLEAN, typeOfExpression(expression.condition, names), 0));
      return common(typeOfExpression(expression.then, names), typeOfExpression(expression.otherwise, names));
    case "call":
      return callType(expression, names);
    default:
      return expression satisfies never;
  }
}

function fieldType(of: ValueType, name: string): ValueType {
  if (of.type === "json") return JSON_TYPE;
  if (of.type === "optional")
    throw new TypeMismatch(`${printType(of)} may be nothing; say with ?? what then`);
  if (of.type !== "record") throw new TypeMismatch(`${printType(of)} has no field "${name}"`);
  const field = Object.hasOwn(of.fields, name) ? of.fields[name] : undefined;
  if (field !== undefined) return field;
  throw new TypeMismatch(
    `there is no field "${name}" in ${printType(of)}; get(…, "${name}") takes it if it is there`,
  );
}

function itemType(
  { of, index }: Extract<Expression, { op: "item" }>,
  names: Readonly<Record<string, ValueType>>,
): ValueType {
  const list = typeOfExpression(of, names);
  const place = typeOfExpression(index, names);
  if (list.type === "record" || (list.type === "json" && place.type !== "number")) {
    if (place.type !== "text" && place.type !== "json") throw new TypeMismatch("a field's name is a text");
    const name = index.op === "constant" ? parseJson(index.json) : undefined;
    return list.type === "record" && typeof name === "string" ? fieldType(list, name) : JSON_TYPE;
  }
  if (place.type !== "number" && place.type !== "json") throw new TypeMismatch("a place is a number");
  return elementOf(list, 0);
}

function callType(
  expression: Extract<Expression, { op: "call" }>,
  names: Readonly<Record<string, ValueType>>,
): ValueType {
  const { name, args } = expression;
  const builtin = BUILTINS.get(name);
  if (builtin === undefined) throw new TypeMismatch(`there is no function "${name}"`);
  if (args.length < builtin.least || args.length > builtin.most)
    throw new TypeMismatch(`${name} is given ${args.length} arguments, but takes ${builtin.signature}`);
  const types = args.map((arg) => typeOfExpression(arg, names));
  return located(expression, () => builtin.typeOf(types, args));
}

function located<T>(expression: Expression, type: () => T): T {
  try {
    return type();
  } catch (error) {
    if (!(error instanceof TypeMismatch) || error.message.startsWith("in ")) throw error;
    const text = printExpression(expression);
    throw new TypeMismatch(`in ${text.length > 80 ? `${text.slice(0, 80)}…` : text}: ${error.message}`);
  }
}

/** Parts inside each other; 1 for a name. */
export function expressionDepth(expression: Expression): number {
  return deep(expression, 1);
}

function deep(expression: Expression, depth: number): number {
  if (depth > MAX_EXPRESSION_DEPTH) return depth;
  return childrenOf(expression).reduce((most, each) => Math.max(most, deep(each, depth + 1)), depth);
}

function childrenOf(expression: Expression): readonly Expression[] {
  switch (expression.op) {
    case "constant":
    case "name":
      return [];
    case "field":
      return [expression.of];
    case "item":
      return [expression.of, expression.index];
    case "list":
      return expression.items;
    case "record":
      return Object.values(expression.fields);
    case "if":
      return [expression.condition, expression.then, expression.otherwise];
    case "call":
      return expression.args;
    default:
      return expression satisfies never;
  }
}
