import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { brokenLine, FIRST_LINE, LOG_KINDS, type LogLine, logLineHash } from "./deployment-view.ts";
import { tries } from "./tries.contract.ts";
import { microCredits } from "./units.ts";

const NAME = "digest";

function logOf(texts: readonly string[]): readonly LogLine[] {
  const lines: LogLine[] = [];
  for (const [seq, words] of texts.entries()) {
    const before = lines.at(-1);
    const prev = before === undefined ? FIRST_LINE : logLineHash(NAME, before);
    lines.push({ seq, time: 1_000 + seq, kind: LOG_KINDS[seq % LOG_KINDS.length] ?? "ended", words, prev });
  }
  return lines;
}

describe("a deployment's log", () => {
  test("follows from its first line, in any part", () => {
    const lines = logOf(["a", "b", "c", "d"]);
    expect(brokenLine(NAME, lines)).toBeUndefined();
    expect(brokenLine(NAME, lines.slice(2))).toBeUndefined();
    expect(brokenLine(NAME, [])).toBeUndefined();
  });

  test("shows where a line was changed, left out, put in or taken from another", () => {
    const change = fc.constantFrom<(lines: readonly LogLine[], at: number) => readonly LogLine[]>(
      (lines, at) => lines.with(at, { ...lines[at]!, words: `${lines[at]!.words}!` }),
      (lines, at) => lines.with(at, { ...lines[at]!, time: lines[at]!.time + 1 }),
      (lines, at) => lines.with(at, { ...lines[at]!, cost: microCredits(1) }),
      (lines, at) => lines.with(at, { ...lines[at]!, kind: lines[at]!.kind === "ended" ? "fired" : "ended" }),
      (lines, at) => lines.toSpliced(at, 1),
      (lines, at) => lines.toSpliced(at, 0, lines[at]!),
    );
    fc.assert(
      fc.property(
        fc.array(fc.string(), { minLength: 3, maxLength: 12 }),
        fc.nat(),
        change,
        (texts, place, changed) => {
          const lines = logOf(texts);
          // Neither the first, without which it is a later part of the log, nor the last: nothing follows it yet.
          const at = 1 + (place % (lines.length - 2));
          expect(brokenLine(NAME, changed(lines, at))).toBeDefined();
        },
      ),
      { numRuns: tries(200) },
    );
    expect(brokenLine("another", logOf(["a", "b"]))).toBeDefined();
  });
});
