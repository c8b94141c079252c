import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DEFAULT_AUDIT_POLICY as POLICY, PPM } from "../protocol/audit-policy.ts";
import { microCredits } from "../protocol/units.ts";
import { type AtStake, auditRate } from "./audit-rate.ts";

const TASK = 1_000;

/** Experience and bond in tasks of a thousand micro-credits. */
function known(experience: number, bond: number, changes: Partial<AtStake> = {}): AtStake {
  return {
    value: microCredits(TASK),
    experience: microCredits(experience * TASK),
    bond: microCredits(bond * TASK),
    hasFailed: false,
    ...changes,
  };
}

const anyStake = fc.record({
  value: fc.bigInt(1n, 10n ** 12n).map(microCredits),
  experience: fc.bigInt(0n, 10n ** 15n).map(microCredits),
  bond: fc.bigInt(0n, 10n ** 15n).map(microCredits),
  hasFailed: fc.boolean(),
});

describe("the rate of audits", () => {
  it("is one for the first ten tasks, whatever is at stake", () => {
    for (let task = 0; task < 10; task += 1) {
      expect(auditRate(POLICY, known(task, 1_000), 0)).toBe(PPM);
      expect(auditRate(POLICY, known(0, 1_000), task)).toBe(PPM);
    }
    expect(auditRate(POLICY, known(10, 1_000), 0)).toBeLessThan(PPM);
  });

  it("then falls as 2 / (1 + n) down to one in twenty", () => {
    for (let task = 10; task < 200; task += 1)
      expect(auditRate(POLICY, known(task, 1_000), 0)).toBe(
        Math.max(50_000, Math.floor(2_000_000 / (1 + Math.min(task, 50)))),
      );
  });

  it("never falls to less than money demands", () => {
    // Known for long, but its bond is gone: one and a half of what it earns, over what it loses.
    expect(auditRate(POLICY, known(1_000, 0), 0)).toBe(PPM);
    expect(auditRate(POLICY, known(1_000, 9), 0)).toBe(150_000);
    expect(auditRate(POLICY, known(1_000, 9), 5)).toBe(100_000);
    // With a full bond the floor is enough.
    expect(auditRate(POLICY, known(1_000, 30), 0)).toBe(50_000);
  });

  it("counts experience in value: a hundred small tasks are no record for a large one", () => {
    expect(auditRate(POLICY, known(100, 1_000, { value: microCredits(20 * TASK) }), 0)).toBe(PPM);
    expect(auditRate(POLICY, known(1_000, 10_000, { value: microCredits(20 * TASK) }), 0)).toBe(50_000);
  });

  it("is a quarter at least where something failed that is paid", () => {
    expect(auditRate(POLICY, known(1_000, 1_000, { hasFailed: true }), 0)).toBe(250_000);
  });

  it("is the floor for work that pays nothing, all of it at first", () => {
    expect(auditRate(POLICY, known(50, 0, { value: microCredits(0) }), 0)).toBe(50_000);
    expect(auditRate(POLICY, known(0, 0, { value: microCredits(0) }), 9)).toBe(PPM);
  });

  it("makes every further false outcome lose half of its pay at least, however many are out already", () => {
    fc.assert(
      fc.property(anyStake, fc.nat(100), fc.nat(100), (stake, offset, out) => {
        const value = Number(stake.value);
        const rate = auditRate(POLICY, stake, offset) / PPM;
        // With k out it has k a. One more makes that (k + 1) a if it is not found; else all of it is lost, and the bond, and
        // what came before it in the report.
        const loss = (out + 1) * value + Number(stake.bond) + offset * value;
        const gain = value - rate * loss;
        // Where everything is recomputed nothing is gained; elsewhere rates are rounded down by a millionth.
        expect(gain).toBeLessThanOrEqual(rate === 1 ? 0 : -0.5 * value + loss / PPM);
      }),
      { numRuns: 1_000 },
    );
  });

  it("never rises with experience, bond or place in the report", () => {
    fc.assert(
      fc.property(anyStake, fc.nat(50), fc.bigInt(0n, 10n ** 12n), (stake, offset, more) => {
        const rate = auditRate(POLICY, stake, offset);
        expect(rate).toBeGreaterThanOrEqual(POLICY.floorPpm);
        expect(rate).toBeLessThanOrEqual(PPM);
        expect(auditRate(POLICY, stake, offset + 1)).toBeLessThanOrEqual(rate);
        const richer = { ...stake, bond: microCredits(stake.bond + more) };
        const older = { ...stake, experience: microCredits(stake.experience + more) };
        expect(auditRate(POLICY, richer, offset)).toBeLessThanOrEqual(rate);
        expect(auditRate(POLICY, older, offset)).toBeLessThanOrEqual(rate);
      }),
    );
  });
});
