import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bitLength, multiplyShift, roundShift, squareRoot } from "./fixed-point.ts";
import { LARGEST_ACTIVATION, quantiseRow } from "./quantise.ts";
import {
  applyScale,
  exponentOf,
  mantissaOf,
  multiplyScales,
  packScale,
  reciprocal,
  reciprocalRoot,
  type Scale,
  scaleFrom,
} from "./scale.ts";

const i32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const u32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const mantissa = fc.integer({ min: 2 ** 15, max: 2 ** 16 - 1 });
const value = (scale: Scale): number => mantissaOf(scale) * 2 ** exponentOf(scale);

describe("fixed point", () => {
  it("rounds half up, as exact arithmetic does", () => {
    fc.assert(
      fc.property(i32, fc.integer({ min: 1, max: 31 }), (x, bits) => {
        const half = 1n << BigInt(bits - 1);
        expect(BigInt(roundShift(x, bits))).toBe((BigInt(x) + half) >> BigInt(bits));
      }),
    );
  });

  it("multiplies with all 64 bits", () => {
    fc.assert(
      fc.property(i32, i32, fc.integer({ min: 1, max: 31 }), (a, b, bits) => {
        const product = BigInt(a) * BigInt(b);
        const size = (product < 0n ? -product : product) >> BigInt(bits);
        expect(BigInt(multiplyShift(a, b, bits))).toBe(BigInt.asIntN(32, product < 0n ? -size : size));
      }),
    );
  });

  it("takes roots", () => {
    fc.assert(
      fc.property(u32, (x) => {
        const root = squareRoot(x);
        expect(root * root <= x && (root + 1) * (root + 1) > x).toBe(true);
      }),
    );
  });
});

describe("a scale", () => {
  it("applies within one unit of the last place", () => {
    fc.assert(
      fc.property(i32, mantissa, fc.integer({ min: -60, max: -16 }), (x, m, exponent) => {
        const exact = x * m * 2 ** exponent;
        expect(Math.abs(applyScale(x, packScale(m, exponent), 0) - exact)).toBeLessThanOrEqual(1);
      }),
    );
  });

  it("applies with growth up to 2^16, exactly cut", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -1000, max: 1000 }),
        mantissa,
        fc.integer({ min: -15, max: 0 }),
        (x, m, e) => {
          const exact = BigInt(x) * BigInt(m);
          expect(applyScale(x, packScale(m, e), 0)).toBe(Number(BigInt.asIntN(32, exact >> BigInt(-e))));
        },
      ),
    );
  });

  it("multiplies, inverts and takes roots to 2^-14", () => {
    fc.assert(
      fc.property(u32, mantissa, fc.integer({ min: 1, max: 2 ** 32 - 1 }), (x, m, y) => {
        if (x > 0) expect(value(scaleFrom(x, 3)) / (x * 8)).toBeCloseTo(1, 4);
        const product = multiplyScales(packScale(m, -7), scaleFrom(y, 0));
        expect(value(product) / (m * 2 ** -7 * y)).toBeCloseTo(1, 3.9);
        expect(value(reciprocal(y)) * y).toBeCloseTo(1, 3.9);
        const low = x & 0xffff;
        expect(value(reciprocalRoot(y, low)) * Math.sqrt(y * 65_536 + low)).toBeCloseTo(1, 3.9);
      }),
    );
  });
});

it("a quantised row keeps 14 bits of every value", () => {
  fc.assert(
    fc.property(
      fc.array(i32, { minLength: 1, maxLength: 40 }),
      fc.integer({ min: 0, max: 30 }),
      (row, down) => {
        const values = Int32Array.from(row, (x) => x >> down);
        const out = new Int16Array(values.length);
        const step = value(quantiseRow(values, out));
        const largest = Math.max(...values.map((x) => Math.abs(x)));
        for (const [i, x] of values.entries()) {
          expect(Math.abs(out[i]!)).toBeLessThanOrEqual(LARGEST_ACTIVATION);
          // Half a step each by rounding, by the quotient and by the scale, an eighth by the shift.
          expect(Math.abs(out[i]! * step - x)).toBeLessThanOrEqual(1.7 * (largest / 8_191));
        }
        if (largest > 0) expect(bitLength(Math.max(...out.map((x) => Math.abs(x))))).toBe(13);
      },
    ),
  );
});
