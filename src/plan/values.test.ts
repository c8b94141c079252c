import fc from "fast-check";
import { expect, test } from "vitest";
import { tries } from "../protocol/tries.contract.ts";
import { toHex } from "../protocol/bytes.ts";
import { anyJson, anyOf, anyType } from "./any-plan.contract.ts";
import { canonicalJson, parseJson, type Value } from "./json-value.ts";
import { parseType, printType } from "./text/type-text.ts";
import { joinTypes, typeOfValue, whyNotAssignable, whyNotInside } from "./type-relations.ts";
import { constantBytes, readValue, writeValue } from "./values.ts";

const typed = anyType.chain((type) => fc.tuple(fc.constant(type), anyOf(type)));

function textOf(type: string, value: Value): string {
  return new TextDecoder().decode(writeValue(parseType(type), value));
}

test("every value comes out of its bytes as it went in, and goes in as the same bytes again", () => {
  fc.assert(
    fc.property(typed, ([type, value]) => {
      const bytes = writeValue(type, value);
      expect(readValue(type, bytes)).toEqual(value);
      expect(writeValue(type, readValue(type, bytes))).toEqual(bytes);
    }),
    { numRuns: tries(1_000) },
  );
});

test("canonical JSON has its names sorted by code unit, no blanks and one spelling of each number", () => {
  expect(
    canonicalJson(
      parseJson('{"é":1,"z":[1.0,-0,1e21,0.000001,1e-7],"Z":"\\u00e9\\n\\u2028","\\ud83d\\ude00":null}'),
    ),
  ).toBe('{"Z":"é\\n\u2028","z":[1,0,1e+21,0.000001,1e-7],"é":1,"😀":null}');
  fc.assert(
    fc.property(anyJson, (value) => {
      expect(parseJson(canonicalJson(value))).toEqual(value);
      expect(canonicalJson(parseJson(JSON.stringify(value, undefined, 3)))).toBe(canonicalJson(value));
    }),
    { numRuns: tries(400) },
  );
});

test("texts and bytes stand alone as they are, and inside of JSON as strings", () => {
  expect(textOf("text", "é\n")).toBe("é\n");
  expect(textOf("list<text>", ["é\n"])).toBe('["é\\n"]');
  expect(textOf("text?", "a")).toBe('"a"');
  expect(toHex(writeValue({ type: "bytes" }, Uint8Array.of(0, 255)))).toBe("00ff");
  expect(textOf("{a: bytes, b: bytes?}", { a: Uint8Array.of(0, 255), b: null })).toBe(
    '{"a":"AP8=","b":null}',
  );
});

test("a field that the type does not name stays, and one that it names has to be there", () => {
  const type = parseType("{a: number, b: text?}");
  expect(readValue(type, new TextEncoder().encode('{"a":1,"c":[]}'))).toEqual({ a: 1, c: [] });
  expect(() => readValue(type, new TextEncoder().encode('{"b":"x"}'))).toThrow(
    'the field "a" (number) is missing',
  );
});

test.each([
  ["text", "ff", "not UTF-8"],
  ["number", "2231 22", "is a text, but has to be number"],
  ["number", "", "not JSON"],
  ["nothing", "30", "is a number, but has to be nothing"],
  ["list<text>", "5b315d", "[0]: is a number, but has to be text"],
  ["{a: list<bytes>}", "7b2261223a5b223f225d7d", "a[0]: is a text and not the base64 of bytes"],
] as const)("bytes that are no %s are refused: %s", (type, hex, message) => {
  const bytes = Uint8Array.from(Buffer.from(hex.replace(" ", ""), "hex"));
  expect(() => readValue(parseType(type), bytes)).toThrow(message);
});

test("a number that JSON does not have and half a character are never written", () => {
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, "\ud800", { "\ud800": 1 }])
    expect(() => writeValue({ type: "json" }, value)).toThrow("expression-failed");
});

function written(type: string, json: string): string {
  return new TextDecoder().decode(constantBytes(parseType(type), json));
}

test("a constant is written as the type of what it is given to", () => {
  expect([
    written("text", '"a"'),
    written("json", '"a"'),
    written("bytes", '"a"'),
    written("text?", '"a"'),
  ]).toEqual(["a", '"a"', "a", '"a"']);
});

test("what fits is read the same as the type that it is given as", () => {
  fc.assert(
    fc.property(typed, anyType, ([from, value], to) => {
      if (whyNotInside(from, to) !== undefined) return;
      const whole = { type: "list", of: from } as const;
      const bytes = writeValue(whole, [value]);
      expect(
        () => readValue({ type: "list", of: to }, bytes),
        `${printType(from)} as ${printType(to)}`,
      ).not.toThrow();
    }),
    { numRuns: tries(2_000) },
  );
});

test("both types fit their join, unless one holds bytes", () => {
  fc.assert(
    fc.property(anyType, anyType, (a, b) => {
      const join = joinTypes(a, b);
      for (const each of [a, b]) {
        const problem = whyNotInside(each, join);
        if (problem !== undefined) expect(problem).toContain("bytes");
      }
    }),
    { numRuns: tries(2_000) },
  );
});

test("a value has its narrowest type", () => {
  fc.assert(
    fc.property(anyJson, (value) => {
      const type = typeOfValue(value);
      expect(readValue(type, writeValue(type, value))).toEqual(value);
    }),
    { numRuns: tries(400) },
  );
  expect(printType(typeOfValue([{ a: 1 }, { a: null }]))).toBe("list<json>");
  expect(printType(typeOfValue([]))).toBe("list<json>");
});

test.each([
  ["text", "json", undefined],
  ["text", "bytes", undefined],
  ["list<text>", "json", undefined],
  ["{a: text, b: number}", "{a: text}", undefined],
  ["{}", "{a: text?}", undefined],
  ["nothing", "text?", undefined],
  ["bytes", "text", "bytes does not fit text; text(…) reads them as UTF-8"],
  ["number", "text", "number does not fit text; text(…) or print_json(…) makes one"],
  ["bytes", "json", "bytes holds bytes, which are not JSON; use base64(…)"],
  ["text?", "text", "text? does not fit text; text(…) or print_json(…) makes one"],
  ["number?", "number", "number? may be nothing; say with ?? what then"],
  ["{a: number}", "{a: text}", 'field "a": number does not fit text'],
  ["list<json>", "list<text>", "json does not fit text"],
] as const)("%s given as %s: %s", (from, to, problem) => {
  expect(whyNotAssignable(parseType(from), parseType(to))).toBe(problem);
});
