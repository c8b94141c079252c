import { writeFileSync } from "node:fs";
import { toHex } from "../../protocol/bytes.ts";
import { checkPlan } from "../check.ts";
import { evaluate } from "../expression/evaluate.ts";
import { parseExpression } from "../expression/parse-expression.ts";
import { printExpression } from "../expression/print-expression.ts";
import { typeOfExpression } from "../expression/type-of-expression.ts";
import { decodePlan, encodePlan, planCid } from "../plan-codec.ts";
import { describeProblem } from "../plan-error.ts";
import { parsePlan, printPlan } from "../plan-text.ts";
import { printType } from "../text/type-text.ts";
import { writeValue } from "../values.ts";
import {
  EXPRESSION_SAMPLES,
  type ExpressionSample,
  NO_PLANS,
  planSamples,
  UNSOUND,
} from "./samples.contract.ts";

/**
 * Writes the golden vectors. Run it with Node from anywhere: `node src/plan/vectors/generate.contract.ts`. A change of these
 * files is a change of the format of plans.
 */
type Row = Record<string, unknown>;

async function planRows(): Promise<readonly Row[]> {
  const samples = await planSamples();
  return Promise.all(
    samples.map(async ({ name, plan }) => ({
      name,
      cid: planCid(plan),
      json: JSON.parse(await printPlan(plan, "json")),
      yaml: await printPlan(plan, "yaml"),
      bytesHex: toHex(encodePlan(plan)),
    })),
  );
}

export function failureOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof Error) return error.message;
  }
  throw new TypeError("it was not refused");
}

function expressionRow({ text, types, names }: ExpressionSample): Row {
  const given = Object.fromEntries(
    Object.entries(types).map(([name, type]) => [
      name,
      { type: printType(type), valueHex: toHex(writeValue(type, names[name] ?? null)) },
    ]),
  );
  const row = { text, given };
  try {
    parseExpression(text);
  } catch (error) {
    return { ...row, unreadable: error instanceof Error ? error.message : "" };
  }
  const expression = parseExpression(text);
  const printed = printExpression(expression);
  let type;
  try {
    type = typeOfExpression(expression, types);
  } catch (error) {
    return { ...row, printed, mistyped: error instanceof Error ? error.message : "" };
  }
  try {
    const valueHex = toHex(writeValue(type, evaluate(expression, names)));
    return { ...row, printed, type: printType(type), valueHex };
  } catch (error) {
    return { ...row, printed, type: printType(type), fails: error instanceof Error ? error.message : "" };
  }
}

/** Small changes of the bytes of the smallest plan, and what is wrong with them. */
function brokenBytes(good: string): readonly (readonly [name: string, hex: string])[] {
  const swap = (from: string, to: string): string => {
    if (!good.includes(from)) throw new TypeError(`${from} is not in ${good}`);
    return good.replace(from, to);
  };
  return [
    ["cut off", good.slice(0, -2)],
    ["a byte behind the end", `${good}00`],
    ["version 2", swap("617601", "617602")],
    ["a length that is not the shortest", swap("646e616d65", "78046e616d65")],
    ["an unknown field", swap("617601", "617701")],
    ["a constant with a second spelling", swap("6131", "622031")],
    ["an unknown kind of source", swap("68636f6e7374616e74", "68636f6e7374616e75")],
    [
      "names in another order",
      swap(
        "656e6f646573a0",
        "656e6f646573a26162a16466" +
          "61696ca166646574" +
          "61696ca168636f6e7374616e74a1646a736f6e61316161a1646661696ca16664657461696ca168636f6e7374616e74a1646a736f6e6131",
      ),
    ],
    [
      "a name that is none",
      swap(
        "656e6f646573a0",
        "656e6f646573a163612e62a1646661696ca16664657461696ca168636f6e7374616e74a1646a736f6e6131",
      ),
    ],
    ["no map at all", "80"],
    ["nothing", ""],
  ];
}

async function refusedRows(): Promise<Row> {
  const [smallest] = await planSamples();
  if (smallest === undefined) throw new TypeError("there is no smallest plan");
  const bytes = brokenBytes(toHex(encodePlan(smallest.plan))).map(([name, hex]) => ({
    name,
    hex,
    why: failureOf(() => decodePlan(Uint8Array.from(Buffer.from(hex, "hex")))),
  }));
  const texts = await Promise.all(
    NO_PLANS.map(async (text) => ({
      text,
      why: await parsePlan(text).then(
        () => failureOf(() => undefined),
        (error: unknown) => (error instanceof Error ? error.message : ""),
      ),
    })),
  );
  const unsound = await Promise.all(
    UNSOUND.map(async (text) => ({
      json: JSON.parse(text),
      why: checkPlan((await parsePlan(text)).plan).map(describeProblem),
    })),
  );
  return { bytes, texts, unsound };
}

function fileText(about: string, content: Row): string {
  return `${JSON.stringify({ about, ...content }, null, 2)}\n`;
}

/** Name and text of every file of vectors. */
export async function goldenFiles(): Promise<ReadonlyMap<string, string>> {
  return new Map([
    [
      "plan.json",
      fileText("Plans as both texts and as bytes, with their CIDs.", { plans: await planRows() }),
    ],
    [
      "expression.json",
      fileText("Expressions: their one text, the type and bytes of their value, or why there is none.", {
        expressions: EXPRESSION_SAMPLES.map(expressionRow),
      }),
    ],
    [
      "refused.json",
      fileText(
        "Bytes and texts that are no plan, and plans that no run may begin with.",
        await refusedRows(),
      ),
    ],
  ]);
}

if (import.meta.main) {
  for (const [name, text] of await goldenFiles()) writeFileSync(new URL(name, import.meta.url), text);
}
