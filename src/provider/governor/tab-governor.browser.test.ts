import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type ProviderLimits, UNLIMITED } from "../../storage/provider-limits.ts";
import type { MonthUsage } from "../../storage/usage.ts";
import type { Decision } from "./decide-allowance.ts";
import { CALIBRATE_ROUNDS } from "./limits.ts";
import { TabGovernor } from "./tab-governor.ts";
import { untoldHere } from "./untold.ts";

/*
 * What the browser tells is replaced where a test has no hand on the machine: the battery, how busy it is, and the network.
 * The page's own events are real.
 */
const LIMITS: ProviderLimits = { ...UNLIMITED, workers: 4, gpu: true };

class ToldBattery extends EventTarget {
  charging = true;
  level = 1;

  set(charging: boolean, level: number): void {
    this.charging = charging;
    this.level = level;
    this.dispatchEvent(new Event("levelchange"));
  }
}

class ToldConnection extends EventTarget {
  type = "wifi";
  saveData = false;

  set(change: Partial<Pick<ToldConnection, "type" | "saveData">>): void {
    Object.assign(this, change);
    this.dispatchEvent(new Event("change"));
  }
}

type State = "nominal" | "serious" | "critical";
let press: (state: State) => void = () => undefined;
let isWatched = false;

class ToldPressure {
  constructor(listener: (records: readonly { readonly state: State }[]) => void) {
    press = (state) => listener([{ state }]);
  }

  observe(): Promise<void> {
    isWatched = true;
    return Promise.resolve();
  }

  disconnect(): void {
    isWatched = false;
  }
}

let battery: ToldBattery;
let connection: ToldConnection;
const governors: TabGovernor[] = [];

beforeEach(() => {
  battery = new ToldBattery();
  connection = new ToldConnection();
  vi.stubGlobal("PressureObserver", ToldPressure);
  vi.stubGlobal("IdleDetector", undefined);
  Object.defineProperty(navigator, "getBattery", {
    configurable: true,
    value: () => Promise.resolve(battery),
  });
  Object.defineProperty(navigator, "connection", { configurable: true, value: connection });
});

afterEach(() => {
  for (const governor of governors.splice(0)) governor.stop();
  vi.unstubAllGlobals();
  for (const name of ["getBattery", "connection"]) Reflect.deleteProperty(navigator, name);
});

async function start(
  change: Partial<ProviderLimits> = {},
  before?: MonthUsage,
): Promise<{ governor: TabGovernor; decisions: Decision[]; kept: MonthUsage[] }> {
  const decisions: Decision[] = [];
  const kept: MonthUsage[] = [];
  const governor = new TabGovernor({
    limits: { ...LIMITS, ...change },
    usage: {
      load: () => Promise.resolve(before),
      save: (usage) => Promise.resolve(void kept.push(usage)),
    },
    onDecision: (decision) => decisions.push(decision),
  });
  governors.push(governor);
  // Battery, pressure and what was counted before are asked for.
  await new Promise((resolve) => setTimeout(resolve, 10));
  return { governor, decisions, kept };
}

test("a tab hears of the battery", async () => {
  const { governor, decisions } = await start({ onlyWhenCharging: true });
  expect(governor.view(0)).toMatchObject({ allowed: { workers: 4 }, reasons: [] });
  battery.set(false, 0.6);
  expect(decisions.at(-1)).toMatchObject({ allowed: { workers: 0 }, reasons: ["on-battery"] });
  battery.set(false, 0.1);
  expect(decisions.at(-1)?.reasons).toEqual(["battery-low", "on-battery"]);
  battery.set(true, 0.1);
  expect(decisions.at(-1)).toMatchObject({ allowed: { workers: 0 }, reasons: ["calming"] });
  expect(governor.view(0).moreAt).toBeGreaterThan(Date.now());
});

test("a tab hears how busy the machine is, and steps back", async () => {
  const { decisions } = await start();
  expect(isWatched).toBe(true);
  press("serious");
  expect(decisions).toEqual([]);
  press("critical");
  expect(decisions.at(-1)).toMatchObject({ allowed: { workers: 2 }, reasons: ["busy"] });
});

test("a tab hears of its network", async () => {
  const { decisions } = await start({ onlyUnmetered: true, pauseOnSaveData: true });
  connection.set({ type: "cellular" });
  expect(decisions.at(-1)?.reasons).toEqual(["metered"]);
  connection.set({ saveData: true });
  expect(decisions.at(-1)?.reasons).toEqual(["metered", "save-data"]);
});

test("a tab that may not know more sees whether somebody is at this page", async () => {
  const { governor, decisions } = await start({ onlyWhenIdle: true });
  expect(governor.view(0)).toMatchObject({ allowed: { workers: 0 }, reasons: ["in-use"] });
  expect(governor.view(0).untold).toContain("idle");
  governor.setLimits(LIMITS);
  expect(decisions.at(-1)?.allowed.workers).toBe(4);
});

test("data are counted on from what was used before, and the cap holds within the month", async () => {
  const now = new Date();
  const month = `${now.getFullYear()}-${(now.getMonth() + 1).toString().padStart(2, "0")}`;
  const { governor, decisions, kept } = await start({ monthlyMegabytes: 2 }, { month, bytes: 1_500_000 });
  expect(governor.view(0)).toMatchObject({ monthBytes: 1_500_000, allowed: { workers: 4 } });
  governor.count(600_000);
  expect(decisions.at(-1)).toMatchObject({ allowed: { workers: 0 }, reasons: ["data-cap"] });
  governor.setLimits({ ...LIMITS, monthlyMegabytes: 100 });
  expect(governor.allowed.workers).toBe(4);
  governor.stop();
  expect(kept.at(-1)).toEqual({ month, bytes: 2_100_000 });
});

test("a processor that measures slower twice in a row is used for half of the time", async () => {
  const { governor, decisions } = await start({ cpuPercent: 80 });
  let spentMs = 0;
  let clock = 0;
  vi.spyOn(performance, "now").mockImplementation(() => clock);
  const thread = {
    load: () => Promise.resolve({ kind: "loaded", meteredBytes: 1, minimumMemoryBytes: 0 } as const),
    runAll: () => {
      clock += spentMs;
      return Promise.resolve([
        {
          kind: "done",
          output: new Uint8Array(32),
          fuel: 1n,
          stderr: new Uint8Array(0),
          inputSha256: new Uint8Array(32),
          outputSha256: new Uint8Array(32),
        } as const,
      ]);
    },
    rest: () => Promise.resolve(),
    terminate: () => undefined,
    onDeath: () => undefined,
  };
  for (const ms of [4, 8, 8]) {
    spentMs = ms;
    // oxlint-disable-next-line no-await-in-loop -- one measurement after the other
    await governor.calibrate(thread);
  }
  vi.restoreAllMocks();
  expect(clock).toBe((4 + 8 + 8) * CALIBRATE_ROUNDS);
  expect(decisions.at(-1)).toMatchObject({ allowed: { cpuPercent: 40, workers: 4 }, reasons: ["hot"] });
});

test("one that was stopped hears nothing any more", async () => {
  const { governor, decisions } = await start({ onlyWhenCharging: true, onlyUnmetered: true });
  governor.stop();
  battery.set(false, 0.05);
  connection.set({ type: "cellular" });
  expect([decisions, isWatched]).toEqual([[], false]);
});

test("a browser that tells nothing is said to tell nothing, and stands in the way of no work", async () => {
  vi.stubGlobal("PressureObserver", undefined);
  Object.defineProperty(navigator, "getBattery", { configurable: true, value: undefined });
  Object.defineProperty(navigator, "connection", { configurable: true, value: undefined });
  expect(untoldHere()).toEqual(["pressure", "battery", "network", "idle"]);
  const { governor } = await start({
    onlyWhenCharging: true,
    onlyUnmetered: true,
    pauseAtPressure: "serious",
  });
  expect(governor.view(0)).toMatchObject({ allowed: { workers: 4 }, reasons: [] });
});
