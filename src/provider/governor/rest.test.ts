import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BusyMeter } from "./busy-meter.ts";
import { HOT_FACTOR } from "./limits.ts";
import { RestDebt } from "./rest-debt.ts";
import { Slowdown } from "./slowdown.ts";

describe("what a thread owes in rest", () => {
  it("is so much that work is the share of both", () => {
    const debt = new RestDebt(40);
    debt.worked(10, 25);
    expect(debt.owedMs).toBe(30);
    debt.rested(30);
    debt.worked(10, 50);
    expect(debt.owedMs).toBe(10);
    debt.worked(1_000, 100);
    expect(debt.owedMs).toBe(10);
  });

  it("keeps the share over time, however late its timers are, up to the slack", () => {
    const someWork = fc.array(
      fc.tuple(fc.double({ min: 0.1, max: 500, noNaN: true }), fc.integer({ max: 39, min: 0 })),
      {
        minLength: 1,
        maxLength: 200,
      },
    );
    fc.assert(
      fc.property(fc.constantFrom(5, 25, 50, 90), someWork, (percent, stretches) => {
        const debt = new RestDebt(40);
        let [work, rest] = [0, 0];
        for (const [ms, lateMs] of stretches) {
          debt.worked(ms, percent);
          work += ms;
          if (debt.owedMs <= 0) continue;
          const slept = debt.owedMs + lateMs;
          rest += slept;
          debt.rested(slept);
        }
        const ideal = (work * (100 - percent)) / percent;
        expect(Math.abs(rest - ideal)).toBeLessThanOrEqual(40 + 1e-6);
      }),
    );
  });

  it("does not save up idle time: work that comes after it keeps the share from its beginning", () => {
    const debt = new RestDebt(40);
    debt.rested(3_600_000);
    debt.worked(100, 50);
    expect(debt.owedMs).toBe(60);
  });
});

describe("busy threads", () => {
  it("count together, within the window, and while they go on", () => {
    const meter = new BusyMeter(1_000);
    const end = meter.begin(0);
    const endOther = meter.begin(400);
    expect(meter.busyMs(500)).toBe(600);
    end(600);
    end(900);
    expect(meter.busyMs(1_000)).toBe(1_200);
    expect(meter.busyMs(1_500)).toBe(1_100);
    endOther(1_500);
    expect(meter.busyMs(2_600)).toBe(0);
  });
});

describe("a slower processor", () => {
  it("is hot when it is that twice in a row, against the best it ever was here", () => {
    const slowdown = new Slowdown();
    for (const ms of [9, 4, 4.1]) slowdown.measured(ms);
    expect(slowdown.isHot).toBe(false);
    slowdown.measured(4 * HOT_FACTOR);
    expect(slowdown.isHot).toBe(false);
    slowdown.measured(4 * HOT_FACTOR);
    expect(slowdown).toMatchObject({ isHot: true, factor: HOT_FACTOR });
    slowdown.measured(4.2);
    expect(slowdown.isHot).toBe(false);
  });

  it("is not told by a clock that stood still", () => {
    const slowdown = new Slowdown();
    slowdown.measured(0);
    slowdown.measured(4);
    slowdown.measured(4);
    expect(slowdown.isHot).toBe(false);
  });
});
