import { describe, expect, test } from "vitest";
import { readPlaywright, readVitest, runAgain } from "./test-report.ts";

function file(status: string, ...tests: readonly (readonly [string, string])[]) {
  return { status, assertionResults: tests.map(([fullName, each]) => ({ fullName, status: each })) };
}

describe("a report of Vitest", () => {
  test("counts what passed and failed, and names what was skipped", () => {
    const report = {
      success: false,
      testResults: [
        file("passed", ["a", "passed"], ["b", "pending"]),
        file("failed", ["c", "failed"], ["d", "todo"]),
      ],
    };
    expect(readVitest(report)).toMatchObject({ passed: 1, failed: 1, skipped: ["b", "d"] });
  });

  test("a file that could not be loaded is a failure", () => {
    const report = { success: false, testResults: [file("failed"), file("passed", ["a", "passed"])] };
    expect(readVitest(report)).toMatchObject({ passed: 1, failed: 1 });
  });

  test("an error outside of all tests is a failure", () => {
    expect(readVitest({ success: false, testResults: [file("passed", ["a", "passed"])] })).toMatchObject({
      failed: 1,
    });
  });
});

describe("failed files that are run again by themselves", () => {
  const failing = {
    success: false,
    testResults: [
      {
        name: "x.test.ts",
        status: "failed",
        assertionResults: [
          { fullName: "waits", status: "failed", failureMessages: ["\u001B[31mtoo late\u001B[0m\n  at x"] },
          { fullName: "adds", status: "passed" },
        ],
      },
    ],
  };

  test("are named with the beginning of what was wrong", () => {
    expect(readVitest(failing)).toMatchObject({ failures: ["waits: too late"], failedFiles: ["x.test.ts"] });
  });

  test("count as passed where all pass alone, and the tests stay named", () => {
    const again = readVitest({ success: true, testResults: [file("passed", ["waits", "passed"])] });
    expect(runAgain(readVitest(failing), again)).toMatchObject({
      passed: 2,
      failed: 0,
      failures: [],
      unsteady: ["waits: too late"],
    });
  });

  test("stay failed where one fails again", () => {
    expect(runAgain(readVitest(failing), readVitest(failing))).toMatchObject({ passed: 1, failed: 1 });
  });
});

function spec(title: string, status: string, ...annotations: readonly object[]) {
  return {
    title,
    tests: [{ status, annotations }],
  };
}

describe("a report of Playwright", () => {
  test("counts, also in nested suites, and tells why a test was skipped", () => {
    const report = {
      stats: { expected: 3, unexpected: 1, flaky: 1, skipped: 2 },
      errors: [],
      suites: [
        {
          specs: [
            spec("one", "expected"),
            spec("two", "skipped", { type: "skip", description: "no Firefox here" }),
          ],
          suites: [{ specs: [spec("three", "skipped")] }],
        },
      ],
    };
    expect(readPlaywright(report)).toMatchObject({
      passed: 4,
      failed: 1,
      skipped: ["two (no Firefox here)", "three"],
    });
  });

  test("an error outside of all tests is a failure", () => {
    expect(readPlaywright({ stats: { expected: 0 }, errors: [{ message: "no such file" }] })).toMatchObject({
      failed: 1,
    });
  });
});
