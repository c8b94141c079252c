import { describe, expect, test } from "vitest";
import { microCredits, U64_MAX } from "../protocol/units.ts";
import { type BoundsOptions, boundsOf } from "./bounds.ts";
import type { Plan } from "./plan.ts";
import { parsePlan } from "./plan-text.ts";

/** 1 micro-credit for a task and 1 for each 10^9 fuel: a call of 10^9 fuel costs 2. */
const OPTIONS: BoundsOptions = {
  tariff: {
    perGfuel: microCredits(1),
    perTask: microCredits(1),
    perKiB: microCredits(0),
    perInstantiation: microCredits(0),
  },
  attempts: 1,
};

const CALL = `{kind: call, input: {constant: 1}, limits: {fuel: 1000000000}, output: text,
  callee: {cid: bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy, entry: _start, abi: wasi-p1}}`;
const calls = (...ids: readonly string[]): string =>
  `{nodes: {${ids.map((id) => `${id}: ${CALL}`).join(", ")}}, result: {constant: 1}}`;

async function planOf(nodes: string): Promise<Plan> {
  return (await parsePlan(`name: x\nnodes: {${nodes}}\nresult: {constant: 1}`)).plan;
}

async function costOf(nodes: string, options: Partial<BoundsOptions> = {}): Promise<readonly bigint[]> {
  const { steps, tasks, cost } = boundsOf(await planOf(nodes), { ...OPTIONS, ...options });
  return [steps, tasks, cost];
}

describe("the most that a plan takes: steps, tasks and micro-credits", () => {
  test.each([
    ["a call", `a: ${CALL}`, [1n, 1n, 2n]],
    ["an expression costs nothing", "a: {kind: expr, expression: 1 + 1}", [1n, 0n, 0n]],
    [
      "a map takes its graph as often as it may",
      `m: {kind: map, over: {constant: []}, max: 10, graph: ${calls("a", "b")}}`,
      [21n, 20n, 40n],
    ],
    [
      "maps inside each other multiply",
      `m: {kind: map, over: {constant: []}, max: 10, graph: {nodes: {n: {kind: map, over: {constant: []}, max: 5, graph: ${calls("a")}}}, result: {constant: 1}}}`,
      [61n, 50n, 100n],
    ],
    [
      "a branch goes the dearer way",
      `b: {kind: branch, condition: {constant: true}, then: ${calls("a")}, otherwise: ${calls("c", "d")}}`,
      [3n, 2n, 4n],
    ],
    [
      "a fallback is taken",
      `t: {kind: attempt, graph: ${calls("a")}, fallback: ${calls("b")}}`,
      [3n, 2n, 4n],
    ],
    [
      "all alternatives are carried out",
      `s: {kind: select, rule: first, k: 1, of: [${calls("a")}, ${calls("b")}]}`,
      [3n, 2n, 4n],
    ],
    ["every attempt of a retry", `r: {kind: retry, attempts: 3, graph: ${calls("a")}}`, [4n, 3n, 6n]],
    [
      "every turn of a loop",
      `l: {kind: loop, initial: {constant: 1}, max: 7, graph: ${calls("a")}}`,
      [8n, 7n, 14n],
    ],
    [
      "every peer of a quorum",
      `a: ${CALL.replace("kind: call", "kind: call, provenance: 2 of 3")}`,
      [1n, 3n, 6n],
    ],
    [
      "an agent thinks and uses a tool each time",
      `g: {kind: agent, maxSteps: 4, budget: 1, task: {constant: 1}, limits: {fuel: 1000000000}, mind: ${/callee: (\{.*?\})/su.exec(CALL)?.[1]}}`,
      [9n, 8n, 16n],
    ],
  ] as const)("%s", async (_, nodes, most) => {
    expect(await costOf(nodes)).toEqual(most);
  });

  test("counts every time that a step may be given out", async () => {
    expect(await costOf(`a: ${CALL}`, { attempts: 6 })).toEqual([1n, 6n, 12n]);
  });

  test("counts bytes that come in and go out at the price of bytes", async () => {
    const tariff = { ...OPTIONS.tariff, perKiB: microCredits(1) };
    const small = CALL.replace("fuel: 1000000000", "fuel: 1000000000, output: 2048");
    expect(await costOf(`a: ${small}`, { tariff, inputBytes: 1_024 })).toEqual([1n, 1n, 5n]);
  });

  test("is the fee of a cancelled task where that is dearer", async () => {
    expect(await costOf(`a: ${CALL}`, { startFee: microCredits(9) })).toEqual([1n, 1n, 9n]);
  });

  test("has a lease for each task", async () => {
    expect(await costOf(`a: ${CALL}`, { attempts: 3, leaseFee: microCredits(1) })).toEqual([1n, 3n, 9n]);
  });

  test("is told for each node with all its turns", async () => {
    const { perNode, nodes } = boundsOf(
      await planOf(`m: {kind: map, over: {constant: []}, max: 10, graph: ${calls("a", "b")}}`),
      OPTIONS,
    );
    expect(nodes).toBe(3);
    expect(perNode.get("a")).toMatchObject({ steps: 10n, tasks: 10n, cost: 20n });
    expect(perNode.get("m")).toMatchObject({ steps: 21n, tasks: 20n, cost: 40n });
  });

  test("is all money there is where it is more than that", async () => {
    const dear = { ...OPTIONS.tariff, perTask: microCredits(U64_MAX) };
    const { cost } = boundsOf(await planOf(`a: ${CALL}, b: ${CALL}`), { ...OPTIONS, tariff: dear });
    expect(cost).toBe(U64_MAX);
  });
});
