import { describe, expect, test } from "vitest";
import { FAILURE_KINDS, failureCode, type FailureName, failureKind, isFailureCode } from "./failure-code.ts";
import { FailureError } from "./failure.ts";

/** Failures of the function that are found before anything runs, or by a clock: nothing deterministic to pay for. */
const UNPAID_FUNCTION_FAILURES = new Set([
  "deadline",
  "invalid-module",
  "import-refused",
  "export-missing",
  "effect-refused",
  "effect-failed",
  "expression-failed",
]);

describe("Failure codes", () => {
  test("are unique, in order, and named once", () => {
    const codes = FAILURE_KINDS.map(({ code }) => code);
    expect(codes).toEqual([...new Set(codes)].toSorted((a, b) => a - b));
    expect(new Set(FAILURE_KINDS.map(({ name }) => name)).size).toBe(codes.length);
    for (const { name } of FAILURE_KINDS) expect(name).toMatch(/^[a-z]+(-[a-z]+)*$/u);
  });

  test("lie in the four ranges, and fit the wire's 16 bits", () => {
    for (const { code } of FAILURE_KINDS) {
      expect([1, 2, 3, 4]).toContain(Math.floor(code / 10_000));
      expect(code % 10_000).toBeGreaterThan(0);
      expect(code).toBeLessThan(65_536);
    }
  });

  test("tell a person what happened and what to do, in sentences", () => {
    for (const { means, advice, name } of FAILURE_KINDS) {
      for (const sentence of [means, advice]) expect(sentence, name).toMatch(/^[A-Z].{8,}\.$/u);
    }
  });

  test("pay fuel exactly for what the function does again wherever it runs", () => {
    for (const { code, name, pay, refund } of FAILURE_KINDS) {
      const byFunction = code >= 30_000 && code < 40_000;
      const expected =
        name === "cancelled"
          ? "start-fee"
          : byFunction && !UNPAID_FUNCTION_FAILURES.has(name)
            ? "fuel"
            : "none";
      expect(pay, name).toBe(expected);
      expect(refund === "spent", name).toBe(pay === "fuel");
    }
  });

  test("never pay for a failure that is the provider's or the relay's fault", () => {
    for (const { fault, pay, name } of FAILURE_KINDS) {
      if (fault !== "requester") expect(pay, name).toBe("none");
    }
  });

  test("go from name to code to kind and back, and no other number is one", () => {
    for (const kind of FAILURE_KINDS) {
      expect(isFailureCode(kind.code)).toBe(true);
      const code = failureCode(kind.name as FailureName);
      expect(failureKind(code)).toEqual(kind);
      expect(new FailureError(code, "why").message).toBe(`${kind.name}: why`);
      expect(new FailureError(code, "why").toFailure()).toEqual({ code, detail: "why" });
    }
    for (const other of [0, 1, 9_999, 10_000, 12_345, 49_999, -1, 1.5, Number.NaN])
      expect(isFailureCode(other)).toBe(false);
  });

  test("are never renamed or reused: these are for ever", () => {
    const known = FAILURE_KINDS.map(({ code, name }) => `${code} ${name}`);
    expect(known).toEqual(
      expect.arrayContaining([
        "10001 draining",
        "10010 hidden",
        "10011 frozen",
        "10012 battery",
        "10014 gpu-lost",
        "20001 verification-failed",
        "20002 heartbeat-lost",
        "20013 forged-checkpoint",
        "30001 out-of-fuel",
        "30011 deadline",
        "30018 cancelled",
        "40001 bad-signature",
        "40002 expired",
        "40003 replayed",
        "40005 no-provider",
        "40024 relay-fault",
      ]),
    );
  });
});
