import { expect, test } from "vitest";
import type { GovernorReason, GovernorView } from "../../provider/governor/governor-view.ts";
import { type ProviderLimits, UNLIMITED } from "../../storage/provider-limits.ts";
import { dataText, limitsSummary, pauseTitle, reasonWords } from "./governor-words.ts";

const LIMITS: ProviderLimits = { ...UNLIMITED, workers: 2, gpu: true };

const REASONS = [
  "battery-low",
  "on-battery",
  "hidden",
  "in-use",
  "metered",
  "save-data",
  "hours",
  "data-cap",
  "pressure",
  "busy",
  "hot",
] as const satisfies readonly GovernorReason[];

test("each reason has a cause and what can be done, in words of its own", () => {
  const all = REASONS.map((reason) => reasonWords(reason, LIMITS, true));
  expect(new Set(all.map(({ cause }) => cause)).size).toBe(REASONS.length);
  for (const { cause, advice } of all) {
    expect(cause).toMatch(/^[A-Z].+\.$/u);
    expect(advice).toMatch(/^[A-Z].+\.$/u);
  }
});

test("hours say when they begin, and use says what is known of it", () => {
  const hours = { from: 7, to: 9 };
  expect(reasonWords("hours", { ...LIMITS, hours }, true).advice).toBe("Work begins at 07:00.");
  expect(reasonWords("in-use", LIMITS, false).cause).toContain("this page");
  expect(reasonWords("in-use", LIMITS, true).cause).toContain("computer");
});

test.each<[Partial<ProviderLimits>, string]>([
  [{}, "All of each thread’s time, at any time."],
  [{ hours: { from: 7, to: 7 } }, "All of each thread’s time, at any time."],
  [{ cpuPercent: 25, onlyWhenCharging: true }, "25 % of each thread’s time, only while charging."],
  [
    { cpuPercent: 50, onlyWhenIdle: true, hours: { from: 22, to: 6 }, monthlyMegabytes: 2_000 },
    "50 % of each thread’s time, only while you are away, from 22:00 to 06:00 and up to 2 GB a month.",
  ],
])("limits %j are told in one line", (change, line) => {
  expect(limitsSummary({ ...LIMITS, ...change })).toBe(line);
});

test.each([
  [0, "0 MB"],
  [1_250_000, "1.3 MB"],
  [99_600_000, "100 MB"],
  [999_000_000, "999 MB"],
  [1_540_000_000, "1.5 GB"],
])("%i bytes are %s", (bytes, text) => {
  expect(dataText(bytes)).toBe(text);
});

test("a pause counts down where its end is near, and not where it is hours away", () => {
  const view: GovernorView = {
    allowed: { workers: 0, cpuPercent: 100, gpu: false },
    reasons: ["calming"],
    untold: [],
    monthBytes: 0,
  };
  expect(pauseTitle(view, 0)).toBe("Why work pauses");
  expect(pauseTitle({ ...view, moreAt: 12_000 }, 0)).toBe("Work goes on in 12 s");
  expect(pauseTitle({ ...view, moreAt: 3_600_000 }, 0)).toBe("Why work pauses");
  const allowed = { workers: 1, cpuPercent: 50, gpu: true };
  expect(pauseTitle({ ...view, allowed }, 0)).toBe("Why less is used");
  expect(pauseTitle({ ...view, allowed, moreAt: 5_000 }, 0)).toBe("More is used in 5 s");
});
