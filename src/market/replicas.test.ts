import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DEFAULT_AUDIT_POLICY as POLICY } from "../protocol/audit-policy.ts";
import { credibility, judgeReplicas, type Replica } from "./replicas.ts";

const anyReplica: fc.Arbitrary<Replica<string>> = fc.record({
  result: fc.constantFrom("a", "b", "c"),
  passed: fc.nat(200),
});

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

function said(results: string, passed: number): readonly Replica<string>[] {
  return Array.from(results, (result) => ({ result, passed }));
}

describe("replicas of one task", () => {
  it("are accepted when two known providers agree", () => {
    expect(judgeReplicas(said("aa", 20), POLICY)).toEqual({ kind: "accepted", result: "a" });
  });

  it("need a third where two strangers agree", () => {
    expect(judgeReplicas(said("aa", 0), POLICY)).toEqual({ kind: "more" });
    expect(judgeReplicas(said("aaa", 0), POLICY)).toMatchObject({ kind: "accepted" });
  });

  it("that disagree are recomputed, however many stand against one", () => {
    expect(judgeReplicas(said("ab", 50), POLICY)).toEqual({ kind: "referee" });
    expect(judgeReplicas(said("aaab", 1_000), POLICY)).toEqual({ kind: "referee" });
  });

  it("go to the referee when the most there may be are not enough", () => {
    const crowd = { ...POLICY, faultPpm: 900_000 };
    expect(judgeReplicas(said("aaaa", 0), crowd)).toEqual({ kind: "more" });
    expect(judgeReplicas(said("aaaaa", 0), crowd)).toEqual({ kind: "referee" });
  });

  it("that are none need one", () => {
    expect(judgeReplicas([], POLICY)).toEqual({ kind: "more" });
    expect(judgeReplicas([], { ...POLICY, maxReplicas: 0 })).toEqual({ kind: "referee" });
  });

  it("are accepted as often wrongly as the policy allows, counted over every case", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(200), { minLength: 1, maxLength: 5 }), (crowd) => {
        let [right, wrong] = [0, 0];
        for (let mask = 0; mask < 2 ** crowd.length; mask += 1) {
          const weight = crowd.reduce((product, passed, place) => {
            const own = credibility(passed, POLICY);
            return product * ((mask & (1 << place)) === 0 ? 1 - own : own);
          }, 1);
          // Equal results are right together or wrong together; other cases did not happen.
          if (mask === 0) wrong += weight;
          if (mask === 2 ** crowd.length - 1) right += weight;
        }
        const share = wrong / (wrong + right);
        if (Math.abs(share - 0.001) < 1e-9) return;
        const replicas = crowd.map((passed) => ({ result: "a", passed }));
        expect(judgeReplicas(replicas, POLICY).kind === "accepted").toBe(share < 0.001);
      }),
    );
  });

  it("are judged alike in any order", () => {
    fc.assert(
      fc.property(fc.array(anyReplica, { maxLength: 5 }), (results) => {
        expect(judgeReplicas(results.toReversed(), POLICY)).toEqual(judgeReplicas(results, POLICY));
      }),
    );
  });
});
