import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DEFAULT_AUDIT_POLICY as POLICY } from "../protocol/audit-policy.ts";
import { credibility, judgeReplicas, type Replica } from "./replicas.ts";

const anyReplica: fc.Arbitrary<Replica<string>> = fc.record({
  result: fc.constantFrom("a", "b", "c"),
  passed: fc.nat(200),
});

/** The probabilities the slow way: over every combination of right and wrong replicas that the results allow. */
function byCases(results: readonly Replica<string>[]): ReadonlyMap<string, number> {
  const weights = new Map<string, number>();
  let sum = 0;
  for (let mask = 0; mask < 2 ** results.length; mask += 1) {
    const right = results.filter((_, place) => (mask & (1 << place)) !== 0);
    const said = new Set(right.map(({ result }) => result));
    const rest = results.filter((_, place) => (mask & (1 << place)) === 0);
    // Right replicas agree with each other, and no wrong one says the same.
    if (said.size > 1 || rest.some(({ result }) => said.has(result))) continue;
    const weight = results.reduce((product, { passed }, place) => {
      const own = credibility(passed, POLICY);
      return product * ((mask & (1 << place)) === 0 ? 1 - own : own);
    }, 1);
    sum += weight;
    for (const result of said) weights.set(result, (weights.get(result) ?? 0) + weight);
  }
  return new Map([...weights].map(([result, weight]) => [result, weight / sum]));
}

describe("the credibility of a provider", () => {
  it("begins at the share of honest strangers and grows with every audit passed", () => {
    expect(credibility(0, POLICY)).toBe(0.95);
    expect(credibility(10, POLICY)).toBeCloseTo(1 - 0.05 / (0.95 * Math.E * 10), 12);
    let last = 0;
    for (let passed = 0; passed < 1_000; passed += 1) {
      const now = credibility(passed, POLICY);
      expect(now).toBeGreaterThanOrEqual(last);
      expect(now).toBeLessThan(1);
      last = now;
    }
  });

  it("is nothing where everybody is taken to be dishonest", () => {
    expect(credibility(1_000, { faultPpm: 1_000_000 })).toBe(0);
  });

  it("holds against whoever chooses its share of falsehoods knowing the number of audits", () => {
    const fault = POLICY.faultPpm / 1_000_000;
    for (const passed of [1, 5, 50, 500])
      for (let share = 0.001; share <= 1; share += 0.001) {
        // Of those that passed: dishonest ones are there with weight f (1 − s)^k, and s of their results are wrong.
        const left = fault * (1 - share) ** passed;
        const wrong = (share * left) / (left + 1 - fault);
        expect(1 - wrong).toBeGreaterThanOrEqual(credibility(passed, POLICY) - 1e-12);
      }
  });
});

describe("replicas of one task", () => {
  it("are accepted when two known providers agree", () => {
    const results = [
      { result: "a", passed: 20 },
      { result: "a", passed: 20 },
    ];
    expect(judgeReplicas(results, POLICY)).toEqual({ kind: "accepted", result: "a", dissenting: [] });
  });

  it("need a third where two strangers agree", () => {
    const stranger = { result: "a", passed: 0 };
    expect(judgeReplicas([stranger, stranger], POLICY)).toEqual({ kind: "more" });
    expect(judgeReplicas([stranger, stranger, stranger], POLICY)).toMatchObject({ kind: "accepted" });
  });

  it("that disagree are not decided by one voice", () => {
    const results = [
      { result: "a", passed: 50 },
      { result: "b", passed: 50 },
    ];
    expect(judgeReplicas(results, POLICY)).toEqual({ kind: "more" });
  });

  it("name those who say otherwise, so that they are recomputed", () => {
    const results = ["a", "b", "a", "a"].map((result) => ({ result, passed: 50 }));
    expect(judgeReplicas(results, POLICY)).toEqual({ kind: "accepted", result: "a", dissenting: [1] });
  });

  it("go to the referee when the most there may be do not agree", () => {
    const results = ["a", "b", "c", "a", "b"].map((result) => ({ result, passed: 5 }));
    expect(judgeReplicas(results, POLICY)).toEqual({ kind: "referee" });
    expect(judgeReplicas(results.slice(0, 4), POLICY)).toEqual({ kind: "more" });
  });

  it("that are none need one", () => {
    expect(judgeReplicas([], POLICY)).toEqual({ kind: "more" });
    expect(judgeReplicas([], { ...POLICY, maxReplicas: 0 })).toEqual({ kind: "referee" });
  });

  it("are weighed as by counting every case, whatever they say", () => {
    fc.assert(
      fc.property(fc.array(anyReplica, { minLength: 1, maxLength: 5 }), (results) => {
        const cases = byCases(results);
        const judgement = judgeReplicas(results, POLICY);
        const best = Math.max(...cases.values());
        if (Math.abs(1 - best - 0.001) < 1e-9) return;
        expect(judgement.kind === "accepted").toBe(1 - best <= 0.001);
        if (judgement.kind === "accepted") expect(cases.get(judgement.result)).toBeCloseTo(best, 9);
      }),
      { numRuns: 500 },
    );
  });

  it("are judged alike in any order", () => {
    fc.assert(
      fc.property(fc.array(anyReplica, { maxLength: 5 }), (results) => {
        const one = judgeReplicas(results, POLICY);
        const other = judgeReplicas(results.toReversed(), POLICY);
        expect(other.kind).toBe(one.kind);
        if (one.kind === "accepted" && other.kind === "accepted") expect(other.result).toBe(one.result);
      }),
    );
  });
});
