import { expect, test } from "vitest";
import { noteWords } from "./note-words.ts";

test("what a run waits for is told in words, with the step that waits", () => {
  expect(noteWords("count: 2 providers: 2 busy")).toBe(
    "“count”: 2 tabs are there, but none fits. 2 tabs are busy with other work.",
  );
  expect(noteWords("count: no provider is connected")).toBe("“count”: No tab is contributing right now");
  expect(noteWords("count: gone; given to somebody else")).toBe("“count”: Gone; given to somebody else.");
  expect(noteWords("You cancelled the run.")).toBe("You cancelled the run.");
});
