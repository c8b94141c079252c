import { type Schema, text, where } from "../../protocol/schema.ts";
import type { Expression } from "../expression.ts";
import { ExpressionSyntaxError, parseExpression } from "../expression/parse-expression.ts";
import { printExpression } from "../expression/print-expression.ts";
import { expressionDepth } from "../expression/type-of-expression.ts";
import { canonicalJson, parseJson, type Value } from "../json-value.ts";
import { MAX_CONSTANT_BYTES, MAX_EXPRESSION_DEPTH, MAX_NAME_BYTES, MAX_NAMES } from "../limits.ts";
import { lazyShape, recordShape, unionShape } from "./compound.ts";
import { isLocatedList, isLocatedMap, type Located } from "./located.ts";
import { FIELD_NAMES, NAMES } from "../names.ts";
import { listShape, mapShape, textShape, whatIs } from "./parts.ts";
import { readAt, refuse, type Shape, type TextValue } from "./shape.ts";

/** Text that JSON has one spelling for. */
function isCanonical(json: string, holds: (value: Value) => boolean): boolean {
  try {
    const value = parseJson(json);
    return canonicalJson(value) === json && holds(value);
  } catch {
    return false;
  }
}

export function canonicalText(holds: (value: Value) => boolean, rule: string): Schema<string> {
  return where(text(MAX_CONSTANT_BYTES), (json) => isCanonical(json, holds), rule);
}

/** Constants inside of expressions: lists and records have parts of their own there. */
const scalar: Shape<string> = {
  ...textShape(MAX_CONSTANT_BYTES),
  wire: canonicalText(
    (value) => typeof value !== "object" || value === null,
    "a constant of an expression is a number, text, true, false or null as canonical JSON has it",
  ),
};

const name: Shape<string> = {
  ...textShape(MAX_NAME_BYTES),
  wire: where(text(MAX_NAME_BYTES), (word) => NAMES.pattern.test(word), `a name has to be ${NAMES.what}`),
};

const inner: Shape<Expression> = lazyShape(() =>
  unionShape<Expression, "op">("op", {
    constant: recordShape<{ json: string }>({ json: scalar }),
    name: recordShape<{ name: string }>({ name }),
    field: recordShape<{ of: Expression; name: string }>({ of: inner, name }),
    item: recordShape<{ of: Expression; index: Expression }>({ of: inner, index: inner }),
    list: recordShape<{ items: readonly Expression[] }>({ items: listShape(inner, 4_096) }),
    record: recordShape<{ fields: Readonly<Record<string, Expression>> }>({
      fields: mapShape(inner, FIELD_NAMES, MAX_NAMES),
    }),
    if: recordShape<{ condition: Expression; then: Expression; otherwise: Expression }>({
      condition: inner,
      then: inner,
      otherwise: inner,
    }),
    call: recordShape<{ name: string; args: readonly Expression[] }>({
      name: textShape(MAX_NAME_BYTES),
      args: listShape(inner, 64),
    }),
  }),
);

/** On the wire a tree; in text the expression as people write it. */
export const expressionShape: Shape<Expression> = {
  wire: where(
    inner.wire,
    (expression) => expressionDepth(expression) <= MAX_EXPRESSION_DEPTH,
    `an expression nests deeper than ${MAX_EXPRESSION_DEPTH}`,
  ),
  text: {
    write: printExpression,
    read(from) {
      const { value } = from;
      if (typeof value === "number" || typeof value === "boolean")
        return parseExpression(JSON.stringify(value));
      if (typeof value !== "string")
        return refuse(from, `is ${whatIs(value)}, but has to be an expression, a text`);
      const expression = readExpression(from, value);
      return expressionDepth(expression) <= MAX_EXPRESSION_DEPTH
        ? expression
        : refuse(from, `nests deeper than ${MAX_EXPRESSION_DEPTH}`);
    },
  },
};

function readExpression(from: Located, value: string): Expression {
  try {
    return parseExpression(value);
  } catch (error) {
    if (error instanceof ExpressionSyntaxError) return refuse(from, error.message);
    throw error;
  }
}

/** JSON of a constant of a plan: in text the value itself. */
export const constantShape: Shape<string> = {
  wire: canonicalText(() => true, "a constant is canonical JSON"),
  text: {
    write: (json) => asText(parseJson(json)),
    read: (from) =>
      readAt(from, () => {
        const json = canonicalJson(valueOf(from));
        return json.length <= MAX_CONSTANT_BYTES
          ? json
          : refuse(from, `a constant has ${MAX_CONSTANT_BYTES} bytes at most; give it as a parameter`);
      }),
  },
};

function asText(value: Value): TextValue {
  const written: unknown = value;
  return isTextValue(written) ? written : null;
}

/** Parsed JSON holds nothing else. */
function isTextValue(value: unknown): value is TextValue {
  return !(value instanceof Uint8Array);
}

function valueOf({ value }: Located): Value {
  if (isLocatedMap(value))
    return Object.fromEntries([...value].map(([field, each]) => [field, valueOf(each.value)]));
  return isLocatedList(value) ? value.map(valueOf) : value;
}
