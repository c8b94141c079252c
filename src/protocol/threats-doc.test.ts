import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";

const ROOT = new URL("../../", import.meta.url);
const PAGE = readFileSync(new URL("docs/threats.md", ROOT), "utf8");
const RULES = 20;

/** Faults that each need a test of their own. */
const FAULTS = [
  "Tampered receipt",
  "Swapped output",
  "Replayed job",
  "Expired lease",
  "Wrong provider",
  "Forged checkpoint",
  "Oversized or malformed frame",
  "Truncated or hostile WASM",
  "A task that the requester never signed",
  "Never returns",
  "Allocates everything",
  "Writes endless output",
  "Tab closed in the middle of a job",
  "Relay killed in the middle of a job",
  "Tab without its relay",
] as const;

interface Citation {
  readonly file: string;
  readonly name: string;
}

function citationsIn(text: string): readonly Citation[] {
  return [...text.matchAll(/^- `(?<file>[^`]+)`: "(?<name>[^\n]+)"$/gmu)].map(({ groups }) => ({
    file: groups?.["file"] ?? "",
    name: groups?.["name"] ?? "",
  }));
}

/** The text below a heading or a bold line over a list, up to the next of either. */
function below(line: string): string {
  const [, after] = PAGE.split(`\n${line}\n`);
  return after?.split(/\n(?:#|\*\*[^*\n.]+\*\*\n\n- )/u)[0] ?? "";
}

/** Whether a file has a test of this name: a call with the name, or a row of a table of tests. */
function hasTest(source: string, name: string): boolean {
  const literal = RegExp.escape(name);
  return new RegExp(
    `(?:\\b(?:test|it)(?:\\.\\w+(?:\\(\\w+\\))?)?\\(|\\]\\s*(?:as const)?\\)\\(|says:)\\s*["\`]${literal}["\`]`,
    "u",
  ).test(source);
}

describe("docs/threats.md", () => {
  const citations = citationsIn(PAGE);

  test.each(citations.map(({ file, name }) => [file, name] as const))("%s has the test %j", (file, name) => {
    const url = new URL(file, ROOT);
    expect(existsSync(url), `${file} is not there`).toBe(true);
    expect(hasTest(readFileSync(url, "utf8"), name), `${file} has no test "${name}"`).toBe(true);
  });

  test("says of each of the twenty rules whether it is in force, and names a test", () => {
    const headings = [...PAGE.matchAll(/^### (\d+)\. .+$/gmu)];
    expect(headings.map(([, number]) => Number(number))).toEqual(
      Array.from({ length: RULES }, (_, index) => index + 1),
    );
    for (const [heading] of headings) {
      expect(below(heading), heading).toMatch(/\*\*(?:In force|Bytes only)/u);
      expect(citationsIn(below(heading)).length, heading).toBeGreaterThan(0);
    }
  });

  test.each(FAULTS)("names a test for: %s", (fault) => {
    expect(citationsIn(below(`**${fault}**`)).length).toBeGreaterThan(0);
  });

  test("writes every citation so that it is checked", () => {
    const lines = PAGE.split("\n").filter((line) => /^- `[^`]+\.(?:test|spec|contract)\.tsx?`/u.test(line));
    expect(citations).toHaveLength(lines.length);
  });
});
