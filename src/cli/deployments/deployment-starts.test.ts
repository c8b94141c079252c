import { describe, expect, test } from "vitest";
import { parsePlan } from "../../plan/plan-text.ts";
import type { Plan } from "../../plan/plan.ts";
import { listDeployments } from "../../sdk/index.ts";
import { relayConfig } from "../../relay/config.ts";
import { microCredits } from "../../protocol/units.ts";
import { BUDGET, deploymentScene, ONCE, PAGE } from "./deployment-scene.contract.ts";
import { curlLine, endedBy, requireStarts } from "./deployment-starts.ts";
import { capGround, runCap } from "./run-cap.ts";
import { parseEvery, parseOn, triggersOf } from "./trigger-flags.ts";

const EVERY = triggersOf([parseEvery("10s")], "once", "UTC");
const HOOK = triggersOf([parseOn("webhook")], "once", "UTC");
const NOTHING = { triggers: [], open: false };

async function taking(params: string): Promise<Plan> {
  return (await parsePlan(`name: x\nparams: {${params}}\nnodes: {}\nresult: {constant: 1}`)).plan;
}

describe("what starts a deployment", () => {
  test("is something at all", () => {
    expect(() => requireStarts(PAGE, { request: {} }, NOTHING)).toThrow("Nothing would ever start");
    expect(() => requireStarts(PAGE, {}, { ...NOTHING, open: true })).not.toThrow();
  });

  test("gives each parameter that is neither optional nor fixed", () => {
    const often = { triggers: EVERY, open: true };
    expect(() => requireStarts(ONCE, {}, often)).toThrow("The clock does not give the parameter word");
    expect(() => requireStarts(ONCE, { word: "a" }, often)).not.toThrow();
  });

  test.each([
    ["the clock gives the event", "event: json", EVERY, undefined],
    ["an optional one may be absent", "a: number?", EVERY, undefined],
    ["a webhook gives fields of its body", "a: number, body: bytes", HOOK, undefined],
    ["a webhook has no bytes but its body", "a: bytes", HOOK, "A webhook does not give the parameter a"],
  ])("%s", async (_, params, triggers, refused) => {
    const plan = await taking(params);
    const check = expect(() => requireStarts(plan, {}, { triggers, open: false }));
    if (refused === undefined) check.not.toThrow();
    else check.toThrow(refused);
  });

  test("over HTTP is a line with what it must be given", async () => {
    expect(curlLine("http://r/f/once", ONCE, {})).toBe("curl -G http://r/f/once --data-urlencode word=words");
    expect(curlLine("http://r/f/once", ONCE, { word: "a" })).toBe("curl http://r/f/once");
    expect(curlLine("http://r/f/page", PAGE, {})).toBe("curl http://r/f/page");
    const plan = await taking("body: bytes, list: list<text>");
    expect(curlLine("http://r/f/x", plan, {})).toBe(
      `curl --data-binary @FILE http://r/f/x --url-query list='["a","b"]'`,
    );
  });
});

describe("what one run may cost", () => {
  const { tariff } = relayConfig({});
  const ground = { tariff, available: 10_000_000n };

  test("is enough for a step at its limits, and what a run asks for that nobody bounds", () => {
    const cap = runCap(ONCE, undefined, ground);
    expect(cap).toBeGreaterThan(2_000n);
    expect(cap).toBeLessThan(ground.available / 2n);
    const dear = { ...tariff, perTask: microCredits(100_000_000) };
    // Not even half the balance covers a step: the cap does all the same.
    expect(runCap(ONCE, undefined, { ...ground, tariff: dear })).toBeGreaterThan(200_000_000n);
  });

  test("is refused below what a step needs, with the cap that is needed", async () => {
    const plan = ONCE;
    let told = "";
    try {
      runCap(plan, 10n, ground);
    } catch (error) {
      told = error instanceof Error ? error.message : "";
    }
    const needed = /needs (0\.\d+) credits/u.exec(told)?.[1] ?? "";
    const micros = BigInt(Math.round(Number(needed) * 1e6));
    expect(runCap(plan, micros, ground)).toBe(micros);
    expect(() => runCap(plan, micros - 1n, ground)).toThrow("never runs");
  });
});

describe("a name that is deployed again", { timeout: 60_000 }, () => {
  const scene = deploymentScene();

  test("says what ends with the version before", async () => {
    await scene.join();
    const who = scene.owner();
    expect((await capGround(who)).available).toBe(0n);
    const first = { name: "again", plan: ONCE, params: { word: "a" } };
    await scene.deployed(who, { ...first, triggers: [...EVERY, ...HOOK], open: true, version: 1 });
    const [before] = await listDeployments(who);
    await scene.deployed(who, { ...first, triggers: HOOK, version: 2, budget: BUDGET });
    const [now] = await listDeployments(who);
    if (now === undefined) throw new Error("nothing is deployed");
    expect(endedBy(before, now)).toEqual([
      "no longer fires: every 10 s",
      "no longer takes the webhook's old secret",
      "no longer answers over HTTP",
    ]);
    expect(endedBy(now, now)).toEqual(["no longer takes the webhook's old secret"]);
    expect(endedBy(undefined, now)).toEqual([]);
    expect((await capGround(who)).available).toBeGreaterThan(0n);
  });
});
