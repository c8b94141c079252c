import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FailureError } from "../../protocol/failure.ts";
import {
  decodeModelData,
  embedInputSchema,
  embedOutputSchema,
  encodeModelData,
  generateInputSchema,
} from "../../protocol/messages/model-task.ts";
import { tries } from "../../protocol/tries.contract.ts";
import { anyExpression, anyOf, anyType } from "../any-plan.contract.ts";
import type { Expression } from "../expression.ts";
import { canonicalJson, type Value } from "../json-value.ts";
import { MAX_EXPRESSION_DEPTH } from "../limits.ts";
import { printType } from "../text/type-text.ts";
import { readValue, writeValue } from "../values.ts";
import type { ValueType } from "../value-type.ts";
import { BUILTINS } from "./builtins.ts";
import { evaluate, type Names } from "./evaluate.ts";
import { parseExpression } from "./parse-expression.ts";
import { printExpression } from "./print-expression.ts";
import { expressionDepth, typeOfExpression } from "./type-of-expression.ts";

function valueOf(text: string, names: Names = {}): Value {
  return evaluate(parseExpression(text), names);
}

function failureOf(text: string, names: Names = {}): string {
  try {
    return `gave ${canonicalJson(valueOf(text, names))}`;
  } catch (error) {
    if (error instanceof FailureError) return error.message;
    throw error;
  }
}

function chain(count: number): Expression {
  return parseExpression(Array.from({ length: count }, () => "a").join(" + "));
}

describe("the text of an expression", () => {
  test("gives the same expression again", () => {
    fc.assert(
      fc.property(anyExpression, (expression) => {
        expect(parseExpression(printExpression(expression))).toEqual(expression);
      }),
      { numRuns: tries(2_000) },
    );
  });

  test.each([
    ["1+2 *3", "1 + 2 * 3"],
    ["(1+2)*3", "(1 + 2) * 3"],
    ["(1-2)-3", "1 - 2 - 3"],
    ["1-(2-3)", "1 - (2 - 3)"],
    ["a?b:c?d:e", "a ? b : c ? d : e"],
    ["(a?b:c)?d:e", "(a ? b : c) ? d : e"],
    ["! a&&-b<c||d", "!a && -b < c || d"],
    ["-(1)", "-(1)"],
    ["- 1.50e2", "-150"],
    ["--1", "--1"],
    ["{'a'}".replaceAll("'", '"').replace("}", ":1,}"), "{a: 1}"],
    ["[ ]", "[]"],
    ["(1).a", "(1).a"],
    ["a . b [ 0 ]", "a.b[0]"],
    ["negate(a)", "-a"],
    ['"\\u0041\\n"', '"A\\n"'],
  ])("%s is printed as %s", (text, printed) => {
    expect(printExpression(parseExpression(text))).toBe(printed);
  });

  test.each([
    ["", "a value is missing at the end"],
    ["1 +", "a value is missing at the end"],
    ["a b", 'an operator is expected where there is "b"'],
    ["a.1", 'a field\'s name is expected where there is "1"'],
    ["f(1 2)", '"," or ")" is expected where there is "2"'],
    ["'a'", "\"'a'\" means nothing here"],
    ['"a', '""a" means nothing here'],
    ["01", '"01" means nothing here'],
    ["1e999", "1e999 is too large for a number"],
    ["{a: 1, a: 2}", 'the field "a" is there twice'],
    ["{__proto__: 1}", "a field's name is expected"],
    ["a ? b", '":" is expected where the expression ends'],
    ['"\\ud800"', "a text holds half a character"],
    ["(".repeat(200), "nests deeper than"],
    ["!".repeat(1_000) + "a", "nests deeper than"],
  ])("%j cannot be read: %s", (text, message) => {
    expect(() => parseExpression(text)).toThrow(message);
  });

  test("a chain of operators counts as deep as it is", () => {
    expect(expressionDepth(chain(MAX_EXPRESSION_DEPTH))).toBe(MAX_EXPRESSION_DEPTH);
    expect(expressionDepth(chain(5_000))).toBeGreaterThan(MAX_EXPRESSION_DEPTH);
  });
});

/** One row at least for each builtin: the test below the table sees to it. */
const EXAMPLES: readonly (readonly [expression: string, value: Value])[] = [
  ["1 == 1.0 && [1, {a: null}] == [1, {a: null}]", true],
  ["{a: 1, b: 2} == {b: 2, a: 1}", true],
  ['"1" != 1', true],
  ['utf8("é") == utf8("é") && utf8("a") != utf8("b")', true],
  ['1 < 2 && "a" < "b" && !("b" < "a")', true],
  ["2 <= 2 && 3 > 2 && 2 >= 2", true],
  ["7 + 3 * 2 - 1", 12],
  ["7 / 2 + 7 % 4 + -7 % 4", 3.5],
  ["-(1 + 1)", -2],
  ["!true || !false", true],
  ['"a" ++ "b" ++ "é"', "abé"],
  ["[1] ++ [2, 3]", [1, 2, 3]],
  ['text(utf8("a") ++ utf8("b"))', "ab"],
  ["null ?? 3", 3],
  ['get({a: 1}, "b") ?? 7', 7],
  ["false && 1 / 0 > 0", false],
  ["true || 1 / 0 > 0", true],
  ["1 ?? 1 / 0", 1],
  ["true ? 1 : 1 / 0", 1],
  ["{a: [1, 2]}.a[-1]", 2],
  ['{a: 1}["a"]', 1],
  ['length("añ😀") + length([1, 2]) + length({a: 1}) + length(utf8("é"))', 8],
  ['text(1.50) ++ text(true) ++ text("x") ++ text(utf8("y"))', "1.5truexy"],
  ['number(" -1.5e1 ")', -15],
  ["format(2 / 3, 3)", "0.667"],
  ['split("a,b,,c", ",")', ["a", "b", "", "c"]],
  ['split("a😀", "")', ["a", "😀"]],
  ['join(["a", "b"], ", ")', "a, b"],
  ['lines("a\\r\\nb\\n")', ["a", "b"]],
  ['words("  a b\\t\\nc ")', ["a", "b", "c"]],
  ['trim("\\t a b\\n")', "a b"],
  ['trim("\\u00a0")', "\u00A0"],
  ['lower("ABÉ") ++ upper("abé")', "abÉABé"],
  ['replace("aXbX", "X", "$&")', "a$&b$&"],
  ['starts_with("abc", "ab") && ends_with("abc", "bc")', true],
  ['repeat("ab", 3)', "ababab"],
  ['pad_start("7", 3, "0")', "007"],
  ['code_points("a😀")', [97, 128_512]],
  ["[round(2.5), round(-2.5), floor(-0.5), ceil(0.2), abs(-3)]", [3, -2, -1, 1, 3]],
  ["sqrt(2)", Math.SQRT2],
  ["range(2, 5) ++ range(5, 2)", [2, 3, 4]],
  ['slice("a😀bc", 1, 3) ++ slice("abc", -1)', "😀bc"],
  ["slice([1, 2, 3], 0, -1)", [1, 2]],
  ['text(slice(utf8("abc"), 1))', "bc"],
  ["take([1, 2, 3], 2) ++ drop([1, 2, 3], 2)", [1, 2, 3]],
  ["reverse([1, 2])", [2, 1]],
  ["flatten([[1], [], [2, 3]])", [1, 2, 3]],
  ["chunk([1, 2, 3], 2)", [[1, 2], [3]]],
  [
    'zip([1, 2], ["a", "b"])',
    [
      { first: 1, second: "a" },
      { first: 2, second: "b" },
    ],
  ],
  ['enumerate(["a"])', [{ index: 0, item: "a" }]],
  ["sort([3, 1, 2])", [1, 2, 3]],
  ['sort(["b", "a"], true)', ["b", "a"]],
  [
    'sort_by([{n: 2, t: "a"}, {n: 1, t: "b"}, {n: 2, t: "c"}], "n", true)',
    [
      { n: 2, t: "a" },
      { n: 2, t: "c" },
      { n: 1, t: "b" },
    ],
  ],
  ["order([30, 10, 20])", [1, 2, 0]],
  ['pick(["a", "b", "c"], [2, 0, -1])', ["c", "a", "c"]],
  ['pluck([{a: 1}, {a: 2}], "a")', [1, 2]],
  ['filter_by([{a: 1, b: 2}, {a: 2, b: 3}], "a", 2)', [{ a: 2, b: 3 }]],
  ["present([1, null, 2])", [1, 2]],
  ["unique([1, [2], 1, [2], 3])", [1, [2], 3]],
  ['contains("abc", "b") && contains([1, [2]], [2]) && !contains([1], 3)', true],
  ['[index_of("a😀b", "b"), index_of([5, 6], 6), index_of("a", "z")]', [2, 1, -1]],
  ["[at([1, 2], -1), at([1], 5)]", [2, null]],
  ["[min([3, 1, 2]), max([3, 1, 2])]", [1, 3]],
  ["sum([1, 2, 3.5])", 6.5],
  ["mean([1, 2])", 1.5],
  ["dot([1, 2], [3, 4])", 11],
  ["cosine([1, 0], [2, 0]) + cosine([1, 0], [0, 1]) + cosine([0], [1])", 1],
  ["cosines([1, 0], [[1, 0], [0, 1]])", [1, 0]],
  ["text(to_bytes([104, 105]))", "hi"],
  ['from_bytes(utf8("hi"))', [104, 105]],
  ["merge({a: 1, b: 1}, {b: 2})", { a: 1, b: 2 }],
  ["keys({b: 1, a: 2})", ["a", "b"]],
  ['has({a: null}, "a") && !has({a: 1}, "b") && !has({}, "toString")', true],
  ['any("a")', "a"],
  ['parse_json(" {\\"a\\": [1]} ").a[0]', 1],
  ['print_json({b: 1, a: "é"})', '{"a":"é","b":1}'],
  ['base64(utf8("hi!")) ++ hex(utf8("hi"))', "aGkh6869"],
  ['text(from_base64("aGkh"))', "hi!"],
  ['length(embed_input(["a"])) > 0', true],
  ['length(generate_input("a", 8)) > 0', true],
];

const FAILING: readonly (readonly [text: string, message: string, names: Names])[] = [
  ["1 / 0", "the result is not a number that JSON has", {}],
  ["a", 'there is no name "a"', {}],
  ["toString", 'there is no name "toString"', {}],
  ["x.toString", 'the record has no field "toString"', { x: {} }],
  ["x.a", 'the record has no field "a"', { x: {} }],
  ["x.a", 'a text has no field "a"', { x: "t" }],
  ["x[3]", "there is no place 3 in a list of 1", { x: [1] }],
  ["x[0.5]", "a place is a whole number", { x: [1] }],
  ["x < 1", "only two numbers or two texts have an order", { x: "a" }],
  ["x ? 1 : 2", "there is a number where true or false is expected", { x: 1 }],
  ["nope(1)", 'there is no function "nope"', {}],
  ["trim()", "trim takes text, not 0 arguments", {}],
  ['number("1,5")', '"1,5" is not a number', {}],
  ['parse_json("{")', "the text is not JSON", {}],
  [`parse_json("${"[".repeat(70)}${"]".repeat(70)}")`, "JSON nests deeper than 64", {}],
  ["zip([1], [])", "zip takes lists of the same length, not of 1 and 0", {}],
  ["mean([])", "an empty list has no mean", {}],
  ['from_base64("?")', "the text is not base64", {}],
  ["text(to_bytes([255]))", "the bytes are not UTF-8 text", {}],
  ["sort(x)", "only two numbers or two texts have an order", { x: [1, "a"] }],
  ["to_bytes([256])", "256 is not a byte", {}],
  ["1e308 * 10", "the result is not a number that JSON has", {}],
];

describe("evaluating an expression", () => {
  test.each(EXAMPLES)("%s", (text, value) => {
    const found = valueOf(text);
    expect(found).toEqual(value);
    const type = typeOfExpression(parseExpression(text), {});
    expect(readValue(type, writeValue(type, found))).toEqual(value);
  });

  test("every builtin is in the examples or the tests of models", () => {
    const used = new Set<string>();
    const walk = (expression: Expression): void => {
      if (expression.op === "call") used.add(expression.name);
      for (const part of Object.values(expression))
        if (typeof part === "object")
          for (const each of [part, ...Object.values(part)]) if (isExpression(each)) walk(each);
    };
    for (const [text] of EXAMPLES) walk(parseExpression(text));
    expect([...BUILTINS.keys()].filter((name) => !used.has(name))).toEqual(["embed_vectors"]);
  });

  test("what models take and give is made and read", () => {
    const input = valueOf("embed_input(texts)", { texts: ["one", "two"] });
    expect(decodeModelData(embedInputSchema, input as Uint8Array)).toEqual({ texts: ["one", "two"] });
    const vectors = Uint8Array.from(new Uint8Array(Int16Array.of(32_767, 0, -16_384, 1).buffer));
    const answer = encodeModelData(embedOutputSchema, { dimensions: 2, vectors, tokens: [1, 1] });
    expect(valueOf("embed_vectors(answer)", { answer })).toEqual([
      [32_767 / 32_768, 0],
      [-0.5, 1 / 32_768],
    ]);
    expect(failureOf('embed_vectors(utf8("x"))')).toContain("not what a model's embed gives");
    const prompt = valueOf('generate_input("Hello", 16)') as Uint8Array;
    expect(decodeModelData(generateInputSchema, prompt)).toMatchObject({
      messages: [{ role: "user", content: "Hello" }],
      maxTokens: 16,
    });
  });

  test.each(FAILING)("%s fails: %s", (text, message, names) => {
    expect(failureOf(text, names)).toContain(`expression-failed: ${message}`);
  });

  test.each([
    ['repeat("x", 9007199254740991)', {}],
    ['repeat(repeat(repeat("xxxxxxxxxx", 1000), 1000), 1000)', {}],
    ["range(0, 9007199254740991)", {}],
    ['pad_start("", 1000000000, "0")', {}],
    ['replace(replace(replace(x, "a", x), "a", x), "a", x)', { x: "a".repeat(1_000) }],
    ["pick([x], zeros)", { x: "a".repeat(30_000), zeros: Array.from({ length: 1_000 }, () => 0) }],
    ["pick([pick([pick([1], zeros)], zeros)], zeros)", { zeros: Array.from({ length: 1_000 }, () => 0) }],
    ['join(x, "a")', { x: Array.from({ length: 30_000_000 }, () => "") }],
    ["unique(x)", { x: Array.from({ length: 10_000 }, (_, place) => [place]) }],
  ] as readonly (readonly [string, Names])[])("%s is stopped before it takes long", (text, names) => {
    expect(failureOf(text, names)).toContain("takes more than 20000000 units of work");
  });

  test("fails, or gives a value of the type that was said beforehand", () => {
    const typed = anyType.chain((type) => fc.tuple(fc.constant(type), anyOf(type)));
    let given = 0;
    fc.assert(
      fc.property(
        anyExpression,
        fc.array(fc.tuple(fc.stringMatching(/^[a-z]$/u), typed), { maxLength: 4 }),
        (expression, rows) => {
          const types: Record<string, ValueType> = {};
          const names: Record<string, Value> = {};
          for (const [name, [type, value]] of rows) [types[name], names[name]] = [type, value];
          let type: ValueType;
          try {
            type = typeOfExpression(expression, types);
          } catch (error) {
            expect(error).toBeInstanceOf(RangeError);
            return;
          }
          let value: Value;
          try {
            value = evaluate(expression, names);
          } catch (error) {
            expect(error).toBeInstanceOf(FailureError);
            return;
          }
          given += 1;
          expect(
            () => writeValue(type, value),
            `${printExpression(expression)} is ${printType(type)}`,
          ).not.toThrow();
        },
      ),
      { numRuns: tries(6_000) },
    );
    expect(given).toBeGreaterThan(100);
  });
});

function isExpression(part: unknown): part is Expression {
  return typeof part === "object" && part !== null && "op" in part;
}

describe("the type of an expression", () => {
  const types: Readonly<Record<string, ValueType>> = {
    page: {
      type: "record",
      fields: { title: { type: "text" }, score: { type: "optional", of: { type: "number" } } },
    },
    pages: { type: "list", of: { type: "record", fields: { title: { type: "text" } } } },
    any: { type: "json" },
    raw: { type: "bytes" },
  };
  test.each([
    ["page.title", "text"],
    ["page.score", "number?"],
    ["page.score ?? 0", "number"],
    ['pluck(pages, "title")', "list<text>"],
    ['any.a["b"][0]', "json"],
    ['[1, "a"]', "list<json>"],
    ["[1, null]", "list<number?>"],
    ["page.score == 1 ? page.title : 2", "json"],
    ["page.score == 1 ? page.title : null", "text?"],
    ["merge(page, {title: 1})", "{score: number?, title: number}"],
    ["{a: raw}", "{a: bytes}"],
    ["raw ++ raw", "bytes"],
    ["zip([1], pages)", "list<{first: number, second: {title: text}}>"],
  ])("%s is %s", (text, type) => {
    expect(printType(typeOfExpression(parseExpression(text), types))).toBe(type);
  });

  test.each([
    [
      "page.titel",
      'there is no field "titel" in {score: number?, title: text}; get(…, "titel") takes it if it is there',
    ],
    ["page.score + 1", "in page.score + 1: argument 1: number? may be nothing; say with ?? what then"],
    ["pag.title", 'there is no name "pag" here; there are page, pages, any, raw'],
    ["length(page.score)", "argument 1: number? has no length"],
    ["print_json(raw)", "bytes holds bytes, which are not JSON; use base64(…)"],
    ['pluck(pages, "tite")', '{title: text} has no field "tite"'],
    ['"a" < 1', "text and number have no common order"],
    ["trim(1, 2)", "trim is given 2 arguments, but takes text → text"],
    ["foo(1)", 'there is no function "foo"'],
    ["sort(pages)", "argument 1: values of type {title: text} have no order"],
    ["max([1, null])", "values of type number? have no order; present(…) leaves out what is nothing"],
    ['sort_by([page], "score")', "values of type number? have no order"],
    ["[raw, 1]", "bytes and number have no type in common"],
    ["any == 1 ? raw : page", "have no type in common"],
    ["1 ? 2 : 3", "argument 1: number does not fit boolean"],
  ])("%s is refused: %s", (text, message) => {
    expect(() => typeOfExpression(parseExpression(text), types)).toThrow(message);
  });
});
