import { expect, test } from "vitest";
import { FAILURE_KINDS, failureCode, isFailureCode } from "./failure-code.ts";
import { whoPays } from "./failure-words.ts";

test.each(FAILURE_KINDS)("$name says who pays, as the ledger has it", ({ code, pay, refund }) => {
  if (!isFailureCode(code)) throw new Error("no code");
  const said = whoPays(code);
  if (code >= 40_000) {
    expect(said).toMatch(/^Nothing is charged/u);
    return;
  }
  expect(said.startsWith("Nobody pays")).toBe(pay === "none");
  expect(said.includes("next attempt")).toBe(pay === "none" && refund === "retry");
  expect(said.includes("goes back to the requester")).toBe(pay === "none" && refund !== "retry");
});

test("a tab that leaves costs nobody anything, a trap costs the requester its fuel", () => {
  for (const name of ["frozen", "closed", "battery", "hidden", "draining", "heartbeat-lost"] as const)
    expect(whoPays(failureCode(name))).toBe("Nobody pays: what was set aside goes to the next attempt.");
  expect(whoPays(failureCode("out-of-fuel"))).toMatch(/^The requester pays for what was computed/u);
  expect(whoPays(failureCode("cancelled"))).toMatch(/small fee/u);
  expect(whoPays(failureCode("verification-failed"))).toMatch(/the provider answers for it/u);
});
