import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parseCid } from "../protocol/cid.ts";
import { unpadded } from "../protocol/wire-doc.contract.ts";
import { besides, capabilityOf, functionOf, plan, t } from "./build.ts";
import { checkPlan } from "./check.ts";
import { encodePlan, planCid } from "./plan-codec.ts";
import { PLAN_DOC, withGeneratedParts } from "./plan-doc.contract.ts";
import { describeProblem } from "./plan-error.ts";
import { parsePlan } from "./plan-text.ts";
import { DEFAULT_EFFECT_LIMITS, DEFAULT_PARALLEL, DEFAULT_STEP_LIMITS } from "./shape/plan-shape.ts";

const document = readFileSync(PLAN_DOC, "utf8");
const [example = ""] = [...document.matchAll(/```yaml\n([^]*?)```/gu)].map(([, text = ""]) => text);

describe("docs/plan.md", () => {
  test("has the tables that the code has", () => {
    expect(unpadded(withGeneratedParts(document))).toBe(unpadded(document));
  });

  test("shows a sound plan", async () => {
    const { plan: shown } = await parsePlan(example);
    expect(checkPlan(shown).map(describeProblem)).toEqual([]);
  });

  test("shows the same plan as a program", async () => {
    const title = functionOf({
      cid: parseCid("bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy"),
      input: t.text,
      output: t.text,
    });
    const program = plan("titles", { urls: t.list(t.text) }, (g, { urls }) => {
      const pages = g.map("pages", urls, { max: 20 }, (each, item) => {
        const request = each.expr("request", t.record({ url: t.text }), "{url: item}", { item });
        const page = each.effect(
          "page",
          capabilityOf("fetch", { origins: ["https://example.org"] }),
          request,
          t.text,
        );
        return each.call("title", title, page, { place: besides(page) });
      });
      return g.expr("all", t.text, 'join(sort(unique(pages)), "\\n")', { pages });
    });
    const { plan: shown } = await parsePlan(example);
    expect(program).toEqual(shown);
    expect([planCid(program), encodePlan(program)]).toEqual([planCid(shown), encodePlan(shown)]);
  });

  test("says what stands in for what is left out", () => {
    expect(DEFAULT_STEP_LIMITS).toEqual({
      fuel: 10n ** 10n,
      memory: 64 * 2 ** 20,
      output: 2 ** 20,
      deadlineMs: 60_000,
    });
    expect(DEFAULT_EFFECT_LIMITS).toEqual({ ...DEFAULT_STEP_LIMITS, fuel: 0n, memory: 0 });
    expect(DEFAULT_PARALLEL).toBe(16);
    for (const words of ["10^10 fuel", "64 MiB of memory", "1 MiB of output, 60 s", "`parallel` (16)"])
      expect(document.replaceAll(/\s+/gu, " ")).toContain(words);
  });
});
