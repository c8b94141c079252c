import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { failureCode } from "../protocol/failure-code.ts";
import type { JobLimits } from "../protocol/messages/job.ts";
import { priceOf, type Tariff } from "../protocol/tariff.ts";
import { fuel, microCredits } from "../protocol/units.ts";
import { leastDeadlineMs } from "./deadline.ts";
import { requireDeadline, shareOf, windowOf } from "./lease-terms.ts";
import { LEAST_INFLIGHT_PER_THREAD, MOST_INFLIGHT, MOST_WINDOW } from "./limits.ts";

const tariff: Tariff = {
  perGfuel: microCredits(1_000),
  perTask: microCredits(10),
  perKiB: microCredits(1),
  perInstantiation: microCredits(0),
};

function limitsOf(limit: bigint, deadlineMs = 1_000): JobLimits {
  return { fuel: fuel(limit), memory: 65_536, output: 1_024, deadlineMs };
}

/** Of tasks of a billion fuel, on one thread that burns so much in a second. */
function inflightAt(rate?: bigint): number {
  return windowOf(limitsOf(1_000_000_000n), 1, tariff, microCredits(1_000_000_000), rate).inflightMax;
}

describe("lease terms", () => {
  it("refuse a deadline in which the fuel cannot be used", () => {
    expect(leastDeadlineMs(fuel(1_000_000_001n), 1_000_000_000n)).toBe(1_001);
    expect(() => requireDeadline(limitsOf(1_000_000_000n, 999), 1_000_000_000n)).toThrow(
      expect.objectContaining({ code: failureCode("deadline-too-short") }),
    );
    expect(() => requireDeadline(limitsOf(1_000_000_000n, 1_000), 1_000_000_000n)).not.toThrow();
  });

  it("let tiny tasks be pipelined as deep as 2,000 a second need on a slow line", () => {
    expect(windowOf(limitsOf(10_000n), 1, tariff, microCredits(100_000_000))).toEqual({
      inflightMax: MOST_INFLIGHT,
      windowMax: MOST_WINDOW,
    });
  });

  it("keep a provider that was measured as fast busy with more at a time", () => {
    expect(inflightAt(16_000_000_000n)).toBe(inflightAt() + 4);
    expect(inflightAt(1n)).toBe(LEAST_INFLIGHT_PER_THREAD);
  });

  it("keep the window of large tasks small", () => {
    expect(windowOf(limitsOf(20_000_000_000n), 2, tariff, microCredits(100_000_000))).toEqual({
      inflightMax: 2 * LEAST_INFLIGHT_PER_THREAD,
      windowMax: 4 * LEAST_INFLIGHT_PER_THREAD,
    });
  });

  it("never put more than a quarter of the budget at risk beyond what keeps the threads busy", () => {
    const some = fc.bigInt({ min: 1n, max: 10n ** 9n });
    fc.assert(
      fc.property(some, some, fc.integer({ min: 1, max: 16 }), (limit, budget, threads) => {
        const { windowMax, inflightMax } = windowOf(limitsOf(limit), threads, tariff, microCredits(budget));
        expect(inflightMax).toBeLessThanOrEqual(windowMax);
        expect(windowMax).toBeLessThanOrEqual(MOST_WINDOW);
        if (inflightMax === threads * LEAST_INFLIGHT_PER_THREAD) return;
        const totals = { payable: windowMax, cancelled: 0, fuel: fuel(limit * BigInt(windowMax)), bytes: 0n };
        expect(priceOf(tariff, totals, microCredits(0)) * 4n).toBeLessThanOrEqual(budget);
      }),
    );
  });

  it("leave a share free for a provider that comes later", () => {
    expect(shareOf(microCredits(900), 2, 3)).toBe(300n);
    expect(shareOf(microCredits(900), 3, 3)).toBe(300n);
    expect(shareOf(microCredits(900), 0, 0)).toBe(0n);
  });
});
