import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { anyU64 } from "./arbitrary.contract.ts";
import { FailureError } from "./failure.ts";
import { isWithinTariff, priceOf, type Tariff, tariffCid, type WorkTotals } from "./tariff.ts";
import { ceilDiv, fuel, microCredits, U64_MAX } from "./units.ts";

const price = fc.bigInt({ min: 0n, max: 1_000_000n }).map(microCredits);
const tariffs: fc.Arbitrary<Tariff> = fc.record({
  perGfuel: price,
  perTask: price,
  perKiB: price,
  perInstantiation: price,
});
const steps: fc.Arbitrary<WorkTotals> = fc.record({
  payable: fc.nat(3),
  cancelled: fc.nat(2),
  fuel: fc.bigInt({ min: 0n, max: 10_000_000_000n }).map(fuel),
  bytes: fc.bigInt({ min: 0n, max: 100_000n }),
});
const NOTHING: WorkTotals = { payable: 0, cancelled: 0, fuel: fuel(0), bytes: 0n };

function sum(a: WorkTotals, b: WorkTotals): WorkTotals {
  return {
    payable: a.payable + b.payable,
    cancelled: a.cancelled + b.cancelled,
    fuel: fuel(a.fuel + b.fuel),
    bytes: a.bytes + b.bytes,
  };
}

/** The exact price as a fraction over 1024·10^9. */
const DENOMINATOR = 1_024_000_000_000n;
function exact(tariff: Tariff, totals: WorkTotals, startFee: bigint): bigint {
  return (
    totals.fuel * tariff.perGfuel * 1_024n +
    totals.bytes * tariff.perKiB * 1_000_000_000n +
    (BigInt(totals.payable) * (tariff.perTask + tariff.perInstantiation) +
      BigInt(totals.cancelled) * startFee) *
      DENOMINATOR
  );
}

describe("A price", () => {
  test("is the smallest whole number not below the exact sum of its terms", () => {
    fc.assert(
      fc.property(tariffs, steps, price, (tariff, totals, startFee) => {
        const amount = priceOf(tariff, totals, startFee);
        const wanted = exact(tariff, totals, startFee);
        expect(amount * DENOMINATOR).toBeGreaterThanOrEqual(wanted);
        expect((amount - 1n) * DENOMINATOR).toBeLessThan(wanted);
      }),
    );
  });

  test("of cumulative totals does not depend on how the work was split into receipts", () => {
    fc.assert(
      fc.property(tariffs, fc.array(steps, { maxLength: 12 }), price, (tariff, parts, startFee) => {
        let totals = NOTHING;
        let paid = 0n;
        for (const part of parts) {
          totals = sum(totals, part);
          const amount = priceOf(tariff, totals, startFee);
          expect(amount).toBeGreaterThanOrEqual(paid);
          paid += amount - paid;
        }
        expect(paid).toBe(priceOf(tariff, parts.reduce(sum, NOTHING), startFee));
      }),
    );
  });

  test("is rounded once, not once a term", () => {
    const tariff: Tariff = {
      perGfuel: microCredits(1),
      perTask: microCredits(0),
      perKiB: microCredits(1),
      perInstantiation: microCredits(0),
    };
    const half = { payable: 1, cancelled: 0, fuel: fuel(500_000_000), bytes: 512n };
    expect(priceOf(tariff, half, microCredits(0))).toBe(1n);
    expect(priceOf(tariff, { ...half, bytes: 513n }, microCredits(0))).toBe(2n);
    expect(priceOf(tariff, NOTHING, microCredits(9))).toBe(0n);
  });

  test("of 10^9 fuel and one task is what the tariff says", () => {
    const tariff: Tariff = {
      perGfuel: microCredits(1_000),
      perTask: microCredits(5),
      perKiB: microCredits(2),
      perInstantiation: microCredits(1),
    };
    const totals = { payable: 2, cancelled: 1, fuel: fuel(3_000_000_001n), bytes: 1_025n };
    // 3000.000001 + 2.001953125 rounded up to 3003, 2 × (5 + 1), 1 × 3
    expect(priceOf(tariff, totals, microCredits(3))).toBe(3_003n + 12n + 3n);
  });

  test("beyond 64 bits is a failure, whatever a stranger's totals are", () => {
    fc.assert(
      fc.property(
        fc.tuple(anyU64, anyU64, anyU64, anyU64),
        anyU64,
        anyU64,
        fc.maxSafeNat(),
        ([a, b, c, d], used, bytes, count) => {
          const tariff: Tariff = {
            perGfuel: microCredits(a),
            perTask: microCredits(b),
            perKiB: microCredits(c),
            perInstantiation: microCredits(d),
          };
          const totals = { payable: count, cancelled: count, fuel: fuel(used), bytes };
          const fits = ceilDiv(exact(tariff, totals, a), DENOMINATOR) <= U64_MAX;
          if (fits) expect(priceOf(tariff, totals, microCredits(a))).toBeLessThanOrEqual(U64_MAX);
          else expect(() => priceOf(tariff, totals, microCredits(a))).toThrow(FailureError);
        },
      ),
    );
  });
});

describe("A tariff", () => {
  test("is within another exactly when no term is higher", () => {
    fc.assert(
      fc.property(tariffs, tariffs, (tariff, limit) => {
        const terms = ["perGfuel", "perTask", "perKiB", "perInstantiation"] as const;
        expect(isWithinTariff(tariff, limit)).toBe(terms.every((term) => tariff[term] <= limit[term]));
        expect(isWithinTariff(tariff, tariff)).toBe(true);
      }),
    );
  });

  test("has its own CID", () => {
    fc.assert(
      fc.property(tariffs, tariffs, (a, b) => {
        const same = Object.entries(a).every(([term, value]) =>
          Object.entries(b).some(([t, v]) => t === term && v === value),
        );
        expect(tariffCid(a) === tariffCid(b)).toBe(same);
      }),
    );
  });
});

describe("Units", () => {
  test("hold 64 bits and not one more, and nothing below zero", () => {
    for (const unit of [microCredits, fuel]) {
      expect(unit(U64_MAX)).toBe(U64_MAX);
      expect(() => unit(U64_MAX + 1n)).toThrow(RangeError);
      expect(() => unit(-1)).toThrow(RangeError);
      expect(() => unit(0.5)).toThrow(RangeError);
    }
  });
});
