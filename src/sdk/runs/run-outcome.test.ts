import { expect, test } from "vitest";
import { failureCode, failureKind } from "../../protocol/failure-code.ts";
import { microCredits } from "../../protocol/units.ts";
import { outcomeOf } from "./run-outcome.ts";

test.each(["trap-unreachable", "cancelled"] as const)(
  "the log says where a run ended and by which code (%s), and nothing in a provider's words",
  (name) => {
    const code = failureCode(name);
    const { means } = failureKind(code);
    const failure = {
      node: "pay",
      iteration: "3",
      code,
      detail: "Ann Lee, 4 High Street, owes 30",
      paid: microCredits(0),
      advice: "",
    };
    const outcome = outcomeOf(undefined, failure);
    expect(outcome.detail).toBe(`pay: ${means}`);
    expect(JSON.stringify(outcome)).not.toContain("High Street");
  },
);
