import type { Expression } from "../expression.ts";
import { byKey, NAMES } from "../names.ts";
import { BINARY, POSTFIX, PREFIX, TERNARY, UNARY } from "./syntax.ts";

const SIGN_OF: ReadonlyMap<string, string> = new Map([...PREFIX].map(([sign, name]) => [name, sign]));

/** The one text of an expression, with no more brackets than it needs: parseExpression gives the same expression again. */
export function printExpression(expression: Expression): string {
  return printed(expression, TERNARY);
}

function printed(expression: Expression, least: number): string {
  const [text, strength] = written(expression);
  return strength < least ? `(${text})` : text;
}

function written(expression: Expression): readonly [text: string, strength: number] {
  switch (expression.op) {
    case "constant":
      return [expression.json, POSTFIX];
    case "name":
      return [expression.name, POSTFIX];
    case "field":
      return [`${base(expression.of)}.${expression.name}`, POSTFIX];
    case "item":
      return [`${printed(expression.of, POSTFIX)}[${printExpression(expression.index)}]`, POSTFIX];
    case "list":
      return [`[${expression.items.map(printExpression).join(", ")}]`, POSTFIX];
    case "record":
      return [printedRecord(expression.fields), POSTFIX];
    case "if": {
      const { condition, then, otherwise } = expression;
      const text = `${printed(condition, 1)} ? ${printExpression(then)} : ${printExpression(otherwise)}`;
      return [text, TERNARY];
    }
    case "call":
      return printedCall(expression.name, expression.args);
    default:
      return expression satisfies never;
  }
}

/** What stands before a dot; a number would take the dot for its own. */
function base(of: Expression): string {
  const text = printed(of, POSTFIX);
  return of.op === "constant" ? `(${text})` : text;
}

function printedRecord(fields: Readonly<Record<string, Expression>>): string {
  const rows = Object.entries(fields)
    .toSorted(([a], [b]) => byKey(a, b))
    .map(([name, value]) => {
      const key = NAMES.pattern.test(name) ? name : JSON.stringify(name);
      return `${key}: ${printExpression(value)}`;
    });
  return `{${rows.join(", ")}}`;
}

function printedCall(name: string, args: readonly Expression[]): readonly [text: string, strength: number] {
  const [left, right] = args;
  const strength = BINARY.get(name);
  if (strength !== undefined && left !== undefined && right !== undefined && args.length === 2)
    return [`${printed(left, strength)} ${name} ${printed(right, strength + 1)}`, strength];
  const sign = SIGN_OF.get(name);
  if (sign !== undefined && left !== undefined && args.length === 1)
    return [`${sign}${operand(sign, left)}`, UNARY];
  return [`${name}(${args.map(printExpression).join(", ")})`, POSTFIX];
}

/** What stands behind a sign; a number behind a minus would become a negative number. */
function operand(sign: string, of: Expression): string {
  const text = printed(of, UNARY);
  return sign === "-" && /^[0-9]/u.test(text) ? `(${text})` : text;
}
