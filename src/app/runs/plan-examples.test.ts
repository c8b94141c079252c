import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { checkPlan } from "../../plan/check.ts";
import { describeProblem } from "../../plan/plan-error.ts";
import { parsePlan, printPlan } from "../../plan/plan-text.ts";
import type { Callee } from "../../plan/plan.ts";
import { cidOf, RAW } from "../../protocol/cid.ts";
import { USUAL_ENTRY } from "../../protocol/messages/session.ts";
import { guessAbi } from "../../sdk/make-job.ts";
import { PLAN_EXAMPLES } from "./plan-examples.ts";
import { readParams } from "./plan-params.ts";

const FILES: ReadonlyMap<string, string> = new Map([
  ["wordcount.wasm", "examples/wordcount-c/wordcount.wasm"],
  ["summarise.wasm", "examples/component-c/summarise.wasm"],
]);

function calleeFor(name: string): Callee {
  const module = new Uint8Array(readFileSync(FILES.get(name) ?? ""));
  const abi = guessAbi(module);
  return { kind: "function", cid: cidOf(RAW, module), entry: USUAL_ENTRY[abi], abi, args: [] };
}

test.each(PLAN_EXAMPLES.map((example) => [example.title, example] as const))(
  "the example “%s” is a sound plan, survives being written down, and has what it is given",
  async (_title, example) => {
    const { plan, params } = example.make(calleeFor);
    expect(checkPlan(plan).map(describeProblem)).toEqual([]);
    for (const format of ["json", "yaml"] as const)
      expect((await parsePlan(await printPlan(plan, format))).plan).toEqual(plan);
    expect(readParams(plan, params).kind).toBe("ready");
  },
);
