import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type ProviderLimits, UNLIMITED } from "../../storage/provider-limits.ts";
import type { Decision } from "./decide-allowance.ts";
import { Governor } from "./governor.ts";
import { CALM_MS, HOT_SHARE, PRESSURE_STEP_MS } from "./limits.ts";
import type { Signals } from "./signals.ts";

const LIMITS: ProviderLimits = { ...UNLIMITED, workers: 8, gpu: true };
const QUIET: Signals = {
  isHidden: false,
  pressure: "nominal",
  battery: { isCharging: true, level: 1 },
  network: { isMetered: false },
  savesData: false,
  isInUse: false,
  minuteOfDay: 12 * 60,
  monthBytes: 0,
  isHot: false,
};

interface Scene {
  now: number;
  /** Decides after so many milliseconds in which nothing changed. */
  after(ms: number, change?: Partial<Signals>, limits?: Partial<ProviderLimits>): Decision;
}

function scene(limits: Partial<ProviderLimits> = {}): Scene {
  const governor = new Governor();
  const here: Scene = {
    now: 1_000_000,
    after(ms, change = {}, others = {}) {
      here.now += ms;
      return governor.decide({ ...LIMITS, ...limits, ...others }, { ...QUIET, ...change }, here.now);
    },
  };
  return here;
}

const PAUSES: readonly (readonly [string, Partial<ProviderLimits>, Partial<Signals>])[] = [
  ["battery-low", {}, { battery: { isCharging: false, level: 0.1 } }],
  ["on-battery", { onlyWhenCharging: true }, { battery: { isCharging: false, level: 0.9 } }],
  ["pressure", { pauseAtPressure: "serious" }, { pressure: "serious" }],
  ["pressure", { pauseAtPressure: "serious" }, { pressure: "critical" }],
  ["pressure", { pauseAtPressure: "critical" }, { pressure: "critical" }],
  ["metered", { onlyUnmetered: true }, { network: { isMetered: true } }],
  ["save-data", { pauseOnSaveData: true }, { savesData: true }],
  ["hidden", { pauseWhenHidden: true }, { isHidden: true }],
  ["in-use", { onlyWhenIdle: true }, { isInUse: true }],
];

describe("the governor", () => {
  it("allows what the person gives while nothing stands against it", () => {
    const decision = scene({ workers: 3, cpuPercent: 60 }).after(0);
    expect(decision).toEqual({ allowed: { workers: 3, cpuPercent: 60, gpu: true }, reasons: [] });
  });

  it.each(PAUSES)("stops at once for %s, and goes on after 30 s without it", (reason, limits, signals) => {
    const here = scene(limits);
    expect(here.after(0).allowed.workers).toBe(8);
    const stopped = here.after(1, signals);
    expect(stopped.allowed).toMatchObject({ workers: 0, gpu: false });
    expect(stopped.reasons).toEqual([reason]);
    expect(stopped.moreAt).toBeUndefined();
    const calming = here.after(500_000);
    expect(calming).toMatchObject({ allowed: { workers: 0 }, reasons: ["calming"] });
    expect(calming.moreAt).toBe(here.now + CALM_MS);
    expect(here.after(CALM_MS - 1).allowed.workers).toBe(0);
    expect(here.after(1)).toMatchObject({ allowed: { workers: 8 }, reasons: [] });
  });

  it.each(PAUSES.filter(([reason]) => reason !== "battery-low"))(
    "does not mind %s where the person does not",
    (_reason, _limits, signals) => {
      expect(scene().after(0, signals).allowed.workers).toBeGreaterThan(0);
    },
  );

  it("starts the calm anew whenever something stands against work again", () => {
    const here = scene({ pauseWhenHidden: true });
    here.after(0, { isHidden: true });
    for (let turn = 0; turn < 10; turn += 1) {
      expect(here.after(CALM_MS - 5).allowed.workers).toBe(0);
      expect(here.after(1, { isHidden: true }).allowed.workers).toBe(0);
    }
    here.after(0);
    expect(here.after(CALM_MS).allowed.workers).toBe(8);
  });

  it("does what the person changes at once, in both directions", () => {
    const here = scene();
    const hidden = { isHidden: true };
    expect(here.after(1, hidden).allowed.workers).toBe(8);
    expect(here.after(1, hidden, { pauseWhenHidden: true }).allowed.workers).toBe(0);
    expect(here.after(1, hidden, { workers: 2, cpuPercent: 10 }).allowed).toMatchObject({
      workers: 2,
      cpuPercent: 10,
    });
    expect(here.after(1, hidden).allowed.workers).toBe(8);
  });

  it("goes by what the browser tells, and by nothing where it tells nothing", () => {
    const untold: Signals = {
      isHidden: false,
      savesData: false,
      minuteOfDay: 0,
      monthBytes: 0,
      isHot: false,
    };
    const limits: ProviderLimits = {
      ...LIMITS,
      onlyWhenCharging: true,
      onlyWhenIdle: true,
      onlyUnmetered: true,
      pauseAtPressure: "serious",
    };
    expect(new Governor().decide(limits, untold, 0)).toMatchObject({ allowed: { workers: 8 }, reasons: [] });
  });

  it("says of several reasons the strongest first, and what ends by itself last", () => {
    const here = scene({ pauseWhenHidden: true, onlyWhenCharging: true, pauseAtPressure: "serious" });
    here.after(0, { isHidden: true });
    const { reasons } = here.after(1, {
      pressure: "critical",
      battery: { isCharging: false, level: 0.05 },
    });
    expect(reasons).toEqual(["battery-low", "on-battery", "pressure", "calming"]);
  });
});

function at(hour: number, minute = 0): Partial<Signals> {
  return { minuteOfDay: hour * 60 + minute };
}

describe("hours of the day", () => {
  it.each([
    [{ from: 9, to: 17 }, at(9), true],
    [{ from: 9, to: 17 }, at(16, 59), true],
    [{ from: 9, to: 17 }, at(17), false],
    [{ from: 9, to: 17 }, at(8, 59), false],
    [{ from: 22, to: 6 }, at(23), true],
    [{ from: 22, to: 6 }, at(5, 59), true],
    [{ from: 22, to: 6 }, at(6), false],
    [{ from: 22, to: 6 }, at(21, 59), false],
    [{ from: 7, to: 7 }, at(3), true],
  ] as const)("%j at %j: %s", (hours, signals, isOpen) => {
    expect(scene({ hours }).after(0, signals).allowed.workers > 0).toBe(isOpen);
  });

  it("say when they begin, and begin without a wait", () => {
    const here = scene({ hours: { from: 22, to: 6 } });
    expect(here.after(0, at(21, 30))).toMatchObject({ reasons: ["hours"], moreAt: here.now + 30 * 60_000 });
    expect(here.after(30 * 60_000, at(22)).allowed.workers).toBe(8);
  });
});

it("data of a month end work when they are used up, until the month is over", () => {
  const here = scene({ monthlyMegabytes: 500 });
  expect(here.after(0, { monthBytes: 499_999_999 }).allowed.workers).toBe(8);
  expect(here.after(0, { monthBytes: 500_000_000 })).toMatchObject({
    allowed: { workers: 0 },
    reasons: ["data-cap"],
  });
  expect(here.after(0, { monthBytes: 0 }).allowed.workers).toBe(8);
});

describe("a machine under pressure, whose person wants no pause", () => {
  const critical: Partial<Signals> = { pressure: "critical" };

  it("gets half as many threads at each step down, and never none", () => {
    const here = scene();
    const counts = [0, 1, PRESSURE_STEP_MS, PRESSURE_STEP_MS, PRESSURE_STEP_MS].map(
      (ms) => here.after(ms, critical).allowed.workers,
    );
    expect(counts).toEqual([4, 4, 2, 1, 1]);
    expect(here.after(0, critical).reasons).toEqual(["busy"]);
  });

  it("gets them back step by step, each after 30 s of calm", () => {
    const here = scene();
    here.after(0, critical);
    here.after(PRESSURE_STEP_MS, critical);
    expect(here.after(1)).toMatchObject({ allowed: { workers: 2 }, reasons: ["calming"] });
    const counts = [CALM_MS - 2, 1, CALM_MS - 1, 1, CALM_MS].map((ms) => here.after(ms).allowed.workers);
    expect(counts).toEqual([2, 4, 4, 6, 8]);
    expect(here.after(0).reasons).toEqual([]);
  });

  it("is pressed no further by `serious` alone", () => {
    expect(scene().after(0, { pressure: "serious" }).allowed.workers).toBe(8);
  });
});

it("a hot processor is used for half of the time, until it has been cool for 30 s", () => {
  const here = scene({ cpuPercent: 60 });
  expect(here.after(0, { isHot: true })).toMatchObject({
    allowed: { cpuPercent: 60 * HOT_SHARE, workers: 8 },
    reasons: ["hot"],
  });
  expect(here.after(1).reasons).toEqual(["calming"]);
  expect(here.after(CALM_MS)).toMatchObject({ allowed: { cpuPercent: 60 }, reasons: [] });
});

const someSignals = fc.record({
  isHidden: fc.boolean(),
  pressure: fc.constantFrom("nominal", "fair", "serious", "critical"),
  battery: fc.record({ isCharging: fc.boolean(), level: fc.double({ min: 0, max: 1, noNaN: true }) }),
  network: fc.record({ isMetered: fc.boolean() }),
  savesData: fc.boolean(),
  isInUse: fc.boolean(),
  minuteOfDay: fc.integer({ min: 0, max: 1_439 }),
  monthBytes: fc.integer({ min: 0, max: 2_000_000 }),
  isHot: fc.boolean(),
});

const someLimits = fc.record({
  cpuPercent: fc.integer({ min: 1, max: 100 }),
  workers: fc.integer({ min: 1, max: 64 }),
  gpu: fc.boolean(),
  onlyWhenCharging: fc.boolean(),
  onlyWhenIdle: fc.boolean(),
  onlyUnmetered: fc.boolean(),
  pauseWhenHidden: fc.boolean(),
  pauseOnSaveData: fc.boolean(),
  pauseAtPressure: fc.constantFrom("serious", "critical"),
  hours: fc.record({ from: fc.integer({ min: 0, max: 23 }), to: fc.integer({ min: 0, max: 23 }) }),
  monthlyMegabytes: fc.constant(1),
});

it("whatever happens: never more than the person gives, always a reason for less, and all of it once it stays calm", () => {
  const steps = fc.array(fc.tuple(fc.integer({ min: 0, max: 60_000 }), someSignals), { maxLength: 30 });
  fc.assert(
    fc.property(someLimits, steps, (limits, history) => {
      const governor = new Governor();
      let now = 0;
      for (const [ms, signals] of history) {
        now += ms;
        const { allowed, reasons } = governor.decide(limits, signals, now);
        expect(allowed.workers).toBeLessThanOrEqual(limits.workers);
        expect(allowed.cpuPercent).toBeLessThanOrEqual(limits.cpuPercent);
        expect(allowed.cpuPercent).toBeGreaterThanOrEqual(1);
        const isLess = allowed.workers < limits.workers || allowed.cpuPercent < limits.cpuPercent;
        if (isLess) expect(reasons).not.toEqual([]);
      }
      const calm = { ...QUIET, minuteOfDay: limits.hours.from * 60 };
      governor.decide(limits, calm, now);
      expect(governor.decide(limits, calm, now + 6 * CALM_MS)).toEqual({
        allowed: { workers: limits.workers, cpuPercent: limits.cpuPercent, gpu: limits.gpu },
        reasons: [],
      });
    }),
  );
});
