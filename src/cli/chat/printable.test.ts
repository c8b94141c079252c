import { describe, expect, it } from "vitest";
import { FailureError } from "../../protocol/failure.ts";
import { explain, explanationText } from "../explain.ts";
import { failureLine } from "../summary.ts";
import { printableWords } from "./printable.ts";

describe("text of a stranger on the terminal", () => {
  it("stays within its line where it is a name or a licence", () => {
    expect(printableWords("MIT\n\nother-model  bafy\u001b[1A")).toBe("MIT other-model bafy\u{fffd}[1A");
    expect(printableWords("x".repeat(5_000))).toHaveLength(121);
  });

  it("cannot steer it as the detail of a failure", () => {
    const failure = new FailureError("function-unavailable", "gone\u001b]0;title\u0007");
    expect(explanationText(explain(failure))).toContain("gone\u{fffd}]0;title\u{fffd}");
    expect(failureLine("task 1", { code: failure.code, detail: failure.detail })).toMatch(/gone\u{fffd}\]0/u);
  });
});
