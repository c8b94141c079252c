import { expect, it } from "vitest";
import { FailureError } from "../../protocol/failure.ts";
import { microCredits } from "../../protocol/units.ts";
import type { JobProgress } from "../../sdk/index.ts";
import { linesOf, noteWords, progressWords, searchFailureWords } from "./search-words.ts";

function progress(changes: Partial<JobProgress>): JobProgress {
  return {
    state: "running",
    done: 0,
    failed: 0,
    providers: 1,
    reassigned: 0,
    spent: microCredits(0),
    total: 4,
    ...changes,
  };
}

it("takes lines as a person pastes them", () => {
  expect(linesOf("one\r\n\n  two \n\t\nthree")).toEqual(["one", "two", "three"]);
});

it("says what a search is at", () => {
  expect(progressWords(undefined)).toMatch(/Joining/u);
  expect(progressWords(progress({ state: "finding-providers" }))).toMatch(/Looking for tabs/u);
  expect(progressWords(progress({}))).toMatch(/^1 tab at work\. .* loads it first/u);
  expect(progressWords(progress({ done: 2, providers: 3 }))).toBe("3 tabs at work, 2 of 4 parts there.");
});

it("says what happened last, and what helps where there is no tab", () => {
  expect(noteWords("a provider left: closed", "running")).toBe("A provider left: closed.");
  expect(noteWords("no provider is connected", "finding-providers")).toMatch(
    /^No provider is connected\. Switch on/u,
  );
});

it("tells a person who searches what helps, and leaves advice to others as it is", () => {
  const none = new FailureError("no-provider", "no provider is connected").toFailure();
  expect(searchFailureWords(none)).toMatchObject({
    cause: "No provider fits the job right now.",
    advice: expect.stringContaining("Open Contribute in another browser"),
  });
  const late = new FailureError("timed-out", "silence").toFailure();
  expect(searchFailureWords(late).advice).toBe("Check your connection, then try again.");
});
