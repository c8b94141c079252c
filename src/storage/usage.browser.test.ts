import { expect, test } from "vitest";
import { openBrowserStore } from "./browser-store.ts";
import { parseStoredLimits, type StoredLimits, UNLIMITED } from "./provider-limits.ts";

const SOME: StoredLimits = {
  ...UNLIMITED,
  cpuPercent: 25,
  onlyWhenIdle: true,
  memoryMiB: 128,
  monthlyMegabytes: 500,
  hours: { from: 22, to: 6 },
  pauseAtPressure: "serious",
};

test("limits and the data of a month outlast the page, each by itself", async () => {
  const name = crypto.randomUUID();
  const store = await openBrowserStore(name);
  expect(await store.usage.load()).toBeUndefined();
  await store.settings.save({ theme: "dark", limits: SOME });
  await store.usage.save({ month: "2026-11", bytes: 12_345 });
  store.close();
  const again = await openBrowserStore(name);
  expect(await again.settings.load()).toEqual({ theme: "dark", limits: SOME });
  expect(await again.usage.load()).toEqual({ month: "2026-11", bytes: 12_345 });
  again.close();
});

test.each<[unknown, StoredLimits | undefined]>([
  [undefined, undefined],
  ["all", undefined],
  [{}, UNLIMITED],
  [{ cpuPercent: 0 }, UNLIMITED],
  [{ cpuPercent: 4_000, onlyWhenIdle: "yes", pauseAtPressure: "low" }, UNLIMITED],
  [{ hours: { from: 9, to: 24 }, monthlyMegabytes: -1, memoryMiB: 0.5 }, UNLIMITED],
])("stored limits %j are read as %j", (value, limits) => {
  expect(parseStoredLimits(value)).toEqual(limits);
});
