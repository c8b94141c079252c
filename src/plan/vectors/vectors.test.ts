import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import * as dagCbor from "@ipld/dag-cbor";
import { describe, expect, test } from "vitest";
import { toHex } from "../../protocol/bytes.ts";
import { cidDigest, DAG_CBOR, cidCodec, parseCid } from "../../protocol/cid.ts";
import { checkPlan } from "../check.ts";
import { evaluate } from "../expression/evaluate.ts";
import { parseExpression } from "../expression/parse-expression.ts";
import { printExpression } from "../expression/print-expression.ts";
import { typeOfExpression } from "../expression/type-of-expression.ts";
import { decodePlan, encodePlan, planCid } from "../plan-codec.ts";
import { describeProblem } from "../plan-error.ts";
import { parsePlan, printPlan } from "../plan-text.ts";
import { parseType, printType } from "../text/type-text.ts";
import { readValue, writeValue } from "../values.ts";
import { goldenFiles } from "./generate.contract.ts";

/** The files are read as another implementation would, and compared with what this one makes of them. */

interface Rows {
  readonly plans: readonly {
    readonly name: string;
    readonly cid: string;
    readonly json: unknown;
    readonly yaml: string;
    readonly bytesHex: string;
  }[];
  readonly expressions: readonly {
    readonly text: string;
    readonly given: Readonly<Record<string, { readonly type: string; readonly valueHex: string }>>;
    readonly printed?: string;
    readonly type?: string;
    readonly valueHex?: string;
    readonly fails?: string;
    readonly mistyped?: string;
    readonly unreadable?: string;
  }[];
  readonly bytes: readonly { readonly name: string; readonly hex: string; readonly why: string }[];
  readonly texts: readonly { readonly text: string; readonly why: string }[];
  readonly unsound: readonly { readonly json: unknown; readonly why: readonly string[] }[];
}

const files = ["plan", "expression", "refused"].map(
  (name) => [`${name}.json`, readFileSync(new URL(`${name}.json`, import.meta.url), "utf8")] as const,
);
const rows: Rows = Object.assign({}, ...files.map(([, text]) => JSON.parse(text)));

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex, "hex"));
}

test("the files are what the generator writes", async () => {
  expect(Object.fromEntries(files)).toEqual(Object.fromEntries(await goldenFiles()));
});

describe.each(rows.plans)("the plan: $name", ({ cid, json, yaml, bytesHex }) => {
  test("is the same in all its forms", async () => {
    const plan = decodePlan(bytesOf(bytesHex));
    expect(toHex(encodePlan(plan))).toBe(bytesHex);
    expect(planCid(plan)).toBe(cid);
    expect((await parsePlan(yaml)).plan).toEqual(plan);
    expect((await parsePlan(JSON.stringify(json))).plan).toEqual(plan);
    expect(await printPlan(plan, "yaml")).toBe(yaml);
    expect(await printPlan(plan, "json")).toBe(`${JSON.stringify(json, null, 2)}\n`);
    expect(checkPlan(plan).map(describeProblem)).toEqual([]);
  });

  test("is canonical for another reader of dag-cbor, and hashes to its CID", () => {
    const bytes = bytesOf(bytesHex);
    expect(toHex(dagCbor.encode(dagCbor.decode(bytes)))).toBe(bytesHex);
    expect(cidCodec(parseCid(cid))).toBe(DAG_CBOR);
    expect(toHex(cidDigest(parseCid(cid)))).toBe(createHash("sha256").update(bytes).digest("hex"));
  });
});

test("together the plans have every kind of node", () => {
  const kinds = new Set(
    rows.plans.flatMap(({ yaml }) =>
      [...yaml.matchAll(/^ *kind: ([a-z]+)$/gmu)].map(([, kind = ""]) => kind),
    ),
  );
  for (const kind of [
    "call",
    "effect",
    "agent",
    "expr",
    "map",
    "reduce",
    "branch",
    "select",
    "attempt",
    "retry",
    "timeout",
    "delay",
    "loop",
    "subplan",
    "observe",
    "stream",
    "fail",
  ])
    expect(kinds).toContain(kind);
});

describe("the expression", () => {
  test.each(rows.expressions)(
    "$text",
    ({ text, given, printed, type, valueHex, fails, mistyped, unreadable }) => {
      if (unreadable !== undefined) {
        expect(() => parseExpression(text)).toThrow(unreadable);
        return;
      }
      const expression = parseExpression(text);
      expect(printExpression(expression)).toBe(printed);
      const entries = Object.entries(given).map(
        ([name, each]) => [name, parseType(each.type), bytesOf(each.valueHex)] as const,
      );
      const types = Object.fromEntries(entries.map(([name, of]) => [name, of]));
      const names = Object.fromEntries(entries.map(([name, of, bytes]) => [name, readValue(of, bytes)]));
      if (mistyped !== undefined) {
        expect(() => typeOfExpression(expression, types)).toThrow(mistyped);
        return;
      }
      const found = typeOfExpression(expression, types);
      expect(printType(found)).toBe(type);
      if (fails === undefined) expect(toHex(writeValue(found, evaluate(expression, names)))).toBe(valueHex);
      else expect(() => evaluate(expression, names)).toThrow(fails);
    },
  );
});

describe("what has to be refused is", () => {
  test.each(rows.bytes)("bytes: $name", ({ hex, why }) => {
    expect(() => decodePlan(bytesOf(hex))).toThrow(why);
  });
  test.each(rows.texts)("the text $text", async ({ text, why }) => {
    await expect(parsePlan(text)).rejects.toThrow(why);
  });
  test.each(rows.unsound)("the plan that is not sound: $why", async ({ json, why }) => {
    const { plan } = await parsePlan(JSON.stringify(json));
    expect(checkPlan(plan).map(describeProblem)).toEqual(why);
  });
});
