import { describe, expect, test } from "vitest";
import { FAILURE_KINDS, failureCode, isFailureCode } from "../../protocol/failure-code.ts";
import { fuel, microCredits, U64_MAX } from "../../protocol/units.ts";
import type { ProviderPhase, ProviderState } from "../../provider/provider-state.ts";
import { creditNumber, creditParts, creditText, creditTick, creditUnit } from "./credits.ts";
import { countdownText, durationText } from "./durations.ts";
import { failureWords, phaseWords } from "./phase-words.ts";
import { counted, rateText, scaledText } from "./quantities.ts";
import { missingCapabilityWords, storageTroubleWords } from "./trouble-words.ts";

describe("an amount of credits", () => {
  test.each([
    [0n, "0.000000"],
    [1n, "0.000001"],
    [999_999n, "0.999999"],
    [1_000_000n, "1.000000"],
    [1_234_567_890n, "1,234.567890"],
    [U64_MAX, "18,446,744,073,709.551615"],
  ])("of %s micro-credits is written exactly as %s", (micros, text) => {
    expect(creditText(microCredits(micros))).toBe(text);
  });

  test("is taken apart where digits stop mattering", () => {
    expect(creditParts(microCredits(12_345_678n))).toEqual({ whole: "12", cents: "34", rest: "5678" });
  });

  test("of test money is called test credits", () => {
    expect(creditUnit(true)).toBe("test credits");
    expect(creditUnit(false)).toBe("credits");
  });

  test.each([
    [0, "0"],
    [0.00002, "0.00002"],
    [0.5, "0.5"],
    [12, "12"],
    [100, "100"],
    [1_500, "1.5k"],
  ])("labels an axis at %s as %s", (credits, text) => {
    expect(creditTick(credits)).toBe(text);
  });

  test("becomes a number for the chart", () => {
    expect(creditNumber(microCredits(2_500_000n))).toBe(2.5);
  });
});

describe("a duration", () => {
  test.each([
    [-5, "0 s"],
    [999, "0 s"],
    [59_999, "59 s"],
    [60_000, "1 min"],
    [3_599_999, "59 min"],
    [7_500_000, "2 h 05 min"],
  ])("of %s ms reads %s", (ms, text) => {
    expect(durationText(ms)).toBe(text);
  });

  test("that counts down reaches now, never zero seconds", () => {
    expect(countdownText(4_001)).toBe("in 5 s");
    expect(countdownText(1)).toBe("in 1 s");
    expect(countdownText(0)).toBe("now");
    expect(countdownText(-300)).toBe("now");
  });
});

describe("a quantity", () => {
  test("is scaled to three digits", () => {
    expect([0, 999, 1_200, 34_500_000_000].map(scaledText)).toEqual(["0", "999", "1.20 k", "34.5 G"]);
  });

  test("per second is rounded the coarser the larger it is", () => {
    expect([0, 0.04, 2.345, 2_345.6].map(rateText)).toEqual(["0", "< 0.1", "2.3", "2,346"]);
  });

  test("agrees with its noun", () => {
    expect([counted(1, "task"), counted(0, "task"), counted(1_200, "task")]).toEqual([
      "1 task",
      "0 tasks",
      "1,200 tasks",
    ]);
  });
});

const base: ProviderState = {
  phase: "stopped",
  testMoney: true,
  workers: 3,
  running: [],
  tasksDone: 0,
  tasksFailed: 0,
  fuel: fuel(0n),
  tasksPerSecond: 0,
  fuelPerSecond: 0,
  earned: microCredits(0n),
  outbox: 0,
  openings: { waiting: 0, opened: 0 },
};

describe("a phase in words", () => {
  const phases: readonly ProviderPhase[] = [
    "stopped",
    "starting",
    "waiting",
    "working",
    "reconnecting",
    "draining",
    "elsewhere",
    "failed",
  ];

  test("is different for every phase and never empty", () => {
    const titles = phases.map((phase) => phaseWords({ ...base, phase }).title);
    expect(new Set(titles).size).toBe(phases.length);
    for (const phase of phases) expect(phaseWords({ ...base, phase }).sentence).not.toBe("");
  });

  test("that failed gives the cause of its code", () => {
    const failure = { code: failureCode("unreachable"), detail: "ice: no candidate" };
    expect(phaseWords({ ...base, phase: "failed", failure }).sentence).toBe(failureWords(failure).cause);
  });

  test("every failure has a cause and an advice", () => {
    for (const { code } of FAILURE_KINDS) {
      if (!isFailureCode(code)) throw new Error(`${code} is listed but not a code`);
      const words = failureWords({ code, detail: "detail" });
      expect(words.cause).toMatch(/\.$/u);
      expect(words.advice).toMatch(/\.$/u);
      expect(words.advice).not.toContain("another provider");
    }
  });
});

describe("trouble in words", () => {
  test("says what to do in every case", () => {
    for (const trouble of ["denied", "full", "newer", "unreadable", "closed"] as const) {
      expect(storageTroubleWords(trouble).advice).toMatch(/\.$/u);
    }
  });

  test("over plain HTTP names the machine the page came from", () => {
    expect(missingCapabilityWords("secure-context", "10.0.0.7:8787").cause).toContain("10.0.0.7:8787");
  });
});
