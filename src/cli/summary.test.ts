import { describe, expect, test } from "vitest";
import { cidOf, RAW } from "../protocol/cid.ts";
import { encodeUtf8 } from "../protocol/text.ts";
import { microCredits } from "../protocol/units.ts";
import type { JobSummary } from "../sdk/index.ts";
import { summaryJson, summaryText } from "./summary.ts";

const SUMMARY: JobSummary = {
  job: cidOf(RAW, encodeUtf8("a job")),
  tasks: 6,
  done: 6,
  failed: 0,
  reassigned: 0,
  copied: 0,
  voided: 0,
  spent: microCredits(2_000_000),
  refunded: microCredits(1_000_000),
  cancelled: false,
  leases: [],
};

describe("what is said of a job at its end", () => {
  test("has nothing about replicas where there were none", () => {
    expect(summaryText(SUMMARY, true)).toMatch(/^6 done: /u);
  });

  test("says how many tasks moved, and how many two providers had", () => {
    expect(summaryText({ ...SUMMARY, reassigned: 2, copied: 1 }, true)).toMatch(
      /^6 done, 2 given to another provider, 1 at two providers because the first was late: /u,
    );
  });

  test("says how many results all replicas agreed on, and on how many somebody said otherwise", () => {
    expect(summaryText({ ...SUMMARY, agreed: 6, disputed: 0 }, true)).toMatch(
      /^6 done, 6 agreed on by all replicas: /u,
    );
    const disputed = { ...SUMMARY, agreed: 4, disputed: 2, voided: 1 };
    expect(summaryText(disputed, true)).toMatch(
      /^6 done, 4 agreed on by all replicas, 2 not, 1 found false and computed again: /u,
    );
    expect(summaryJson(disputed)).toMatchObject({ agreed: 4, disputed: 2 });
  });
});
