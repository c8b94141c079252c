import fc from "fast-check";
import { expect, test } from "vitest";
import { FailureError } from "../protocol/failure.ts";
import { tries } from "../protocol/tries.contract.ts";
import { anyPlan } from "./any-plan.contract.ts";
import { MAX_EXPRESSION_DEPTH, MAX_PLAN_BYTES } from "./limits.ts";
import type { Expression } from "./expression.ts";
import type { Graph, Plan } from "./plan.ts";
import { decodePlan, encodePlan, planCid } from "./plan-codec.ts";

const EMPTY: Graph = { params: {}, nodes: {}, result: { from: "constant", json: "1" } };

function planOf(graph: Graph): Plan {
  return { v: 1, name: "test", graph };
}

function withExpression(expression: Expression): Plan {
  return planOf({ ...EMPTY, nodes: { a: { kind: "expr", expression, with: {} } } });
}

function deep(levels: number): Expression {
  let made: Expression = { op: "constant", json: "1" };
  for (let level = 1; level < levels; level += 1) made = { op: "call", name: "negate", args: [made] };
  return made;
}

test("every plan comes out of its bytes as it went in", () => {
  fc.assert(
    fc.property(anyPlan, (plan) => {
      expect(decodePlan(encodePlan(plan))).toEqual(plan);
    }),
    { numRuns: tries(400) },
  );
});

test("the order of names in memory changes neither bytes nor CID", () => {
  const params = { b: { type: "text" }, aa: { type: "number" }, a: { type: "json" } } as const;
  const turned = { a: params.a, b: params.b, aa: params.aa } as const;
  expect(planCid(planOf({ ...EMPTY, params }))).toBe(planCid(planOf({ ...EMPTY, params: turned })));
});

test("bytes that were changed anywhere are refused, or are another plan with other bytes", () => {
  fc.assert(
    fc.property(anyPlan, fc.nat(), fc.integer({ min: 1, max: 255 }), (plan, place, change) => {
      const bytes = encodePlan(plan);
      const at = place % bytes.length;
      bytes[at] = (bytes[at] ?? 0) ^ change;
      let changed: Plan;
      try {
        changed = decodePlan(bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(FailureError);
        return;
      }
      expect(encodePlan(changed)).toEqual(bytes);
      expect(planCid(changed)).not.toBe(planCid(plan));
    }),
    { numRuns: tries(800) },
  );
});

test("bytes behind the end, cut off at the end, or of nothing at all are refused", () => {
  const bytes = encodePlan(planOf(EMPTY));
  for (const wrong of [Uint8Array.of(...bytes, 0), bytes.subarray(0, -1), new Uint8Array(0)])
    expect(() => decodePlan(wrong)).toThrow("malformed");
});

test("a plan larger than the limit is neither written nor read", () => {
  const nodes = Object.fromEntries(
    Array.from({ length: 90 }, (_, place) => [
      `n${place}`,
      {
        kind: "delay",
        ms: 1,
        value: { from: "constant", json: JSON.stringify("x".repeat(12_000)) },
      } as const,
    ]),
  );
  expect(() => encodePlan(planOf({ ...EMPTY, nodes }))).toThrow(`at most ${MAX_PLAN_BYTES}`);
  expect(() => decodePlan(new Uint8Array(MAX_PLAN_BYTES + 1))).toThrow("too-large");
});

test("a version from the future is refused as unsupported", () => {
  const bytes = encodePlan(planOf(EMPTY));
  const at = bytes.findIndex((byte, place) => byte === 0x76 && bytes[place - 1] === 0x61);
  bytes[at + 1] = 2;
  expect(() => decodePlan(bytes)).toThrow("unsupported: v: is a version that is not known here");
});

test("an expression as deep as the limit is taken, and one deeper is refused before anything recurses over it", () => {
  const deepest = withExpression(deep(MAX_EXPRESSION_DEPTH));
  expect(decodePlan(encodePlan(deepest))).toEqual(deepest);
  expect(() => encodePlan(withExpression(deep(MAX_EXPRESSION_DEPTH + 1)))).toThrow("nests deeper than");
});

test("constants have one spelling", () => {
  for (const json of ["1.0", "{ }", '{"b":1,"a":2}', "-0", "[1, 2]", '"\\u0061"', "nonsense"])
    expect(() => encodePlan(planOf({ ...EMPTY, result: { from: "constant", json } }))).toThrow(
      "canonical JSON",
    );
  for (const json of ["[1]", "{}", "1.0"])
    expect(() => encodePlan(withExpression({ op: "constant", json }))).toThrow("a constant of an expression");
});

test("names that programs would stumble over are refused", () => {
  for (const name of ["__proto__", "", "a.b", "é", "x".repeat(65)])
    expect(() =>
      encodePlan(
        planOf({ ...EMPTY, nodes: Object.fromEntries([[name, { kind: "fail", detail: EMPTY.result }]]) }),
      ),
    ).toThrow("has to be letters");
  for (const name of ["true", "a-b", "1a"])
    expect(() => encodePlan(planOf({ ...EMPTY, params: { [name]: { type: "text" } } }))).toThrow(
      "has to be letters",
    );
});
