import { stripVTControlCharacters } from "node:util";

/** What a step of `npm test` came to. */
export interface Tally {
  readonly passed: number;
  readonly failed: number;
  /** One line for each test that was not run. */
  readonly skipped: readonly string[];
  /** One line for each failure: its name and the beginning of its message. */
  readonly failures: readonly string[];
  /** Files with a failed test, as the report names them. */
  readonly failedFiles: readonly string[];
  /** One line for each test that failed at first and passed when it was run again. */
  readonly unsteady: readonly string[];
}

/** A step that is one check. */
export function checkTally(isOk: boolean): Tally {
  return {
    passed: isOk ? 1 : 0,
    failed: isOk ? 0 : 1,
    skipped: [],
    failures: [],
    failedFiles: [],
    unsteady: [],
  };
}

/** Tests of a step whose failed files were run again by themselves: what passes alone was only in the way of others. */
export function runAgain(first: Tally, second: Tally): Tally {
  if (second.failed > 0) return first;
  return {
    ...first,
    passed: first.passed + first.failed,
    failed: 0,
    failures: [],
    failedFiles: [],
    unsteady: [...first.unsteady, ...first.failures],
  };
}

type Fields = Readonly<Record<string, unknown>>;

function fieldsOf(value: unknown): Fields {
  return typeof value === "object" && value !== null ? (value as Fields) : {};
}

function listOf(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? value.map(fieldsOf) : [];
}

function countOf(value: unknown): number {
  return typeof value === "number" ? value : 0;
}

const SKIPPED: ReadonlySet<unknown> = new Set(["skipped", "pending", "todo", "disabled"]);

/** Reads Vitest's JSON report. A file that could not be loaded, and an error outside of tests, count as a failure each. */
export function readVitest(report: unknown): Tally {
  const fields = fieldsOf(report);
  const files = listOf(fields["testResults"]);
  const tests = files.flatMap((file) => listOf(file["assertionResults"]));
  const unloaded = files.filter(
    (file) => file["status"] === "failed" && listOf(file["assertionResults"]).length === 0,
  );
  const passed = tests.filter(({ status }) => status === "passed").length;
  const failed = tests.filter(({ status }) => status === "failed").length + unloaded.length;
  const isSilent = fields["success"] === false && failed === 0;
  return {
    passed,
    failed: isSilent ? 1 : failed,
    skipped: tests.filter(({ status }) => SKIPPED.has(status)).map(({ fullName }) => String(fullName)),
    failures: [
      ...tests
        .filter(({ status }) => status === "failed")
        .map(
          ({ fullName, failureMessages }) => `${String(fullName)}: ${firstLine(textsOf(failureMessages)[0])}`,
        ),
      ...unloaded.map(({ name, message }) => `${String(name)}: ${firstLine(message)}`),
    ],
    failedFiles: files.filter(({ status }) => status === "failed").map(({ name }) => String(name)),
    unsteady: [],
  };
}

/** The beginning of a message, without the colours of a terminal. */
function firstLine(message: unknown): string {
  const plain = stripVTControlCharacters(typeof message === "string" ? message : "");
  return plain.split("\n", 1)[0]?.slice(0, 300) ?? "";
}

function textsOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function specsOf(suite: Fields): readonly Fields[] {
  return [...listOf(suite["specs"]), ...listOf(suite["suites"]).flatMap(specsOf)];
}

function reasonOf(test: Fields): string {
  const reason = listOf(test["annotations"]).find(({ type }) => type === "skip")?.["description"];
  return typeof reason === "string" ? ` (${reason})` : "";
}

function failuresIn(spec: Fields): readonly string[] {
  const results = listOf(spec["tests"]).flatMap((test) => listOf(test["results"]));
  const message = results.map(({ error }) => fieldsOf(error)["message"]).find((each) => each !== undefined);
  return [`${String(spec["title"])}: ${firstLine(message)}`];
}

/** Reads Playwright's JSON report. A test that passed at a second attempt counts as passed and is named. */
export function readPlaywright(report: unknown): Tally {
  const fields = fieldsOf(report);
  const stats = fieldsOf(fields["stats"]);
  const specs = listOf(fields["suites"]).flatMap(specsOf);
  const skipped = specs.flatMap((spec) =>
    listOf(spec["tests"])
      .filter(({ status }) => status === "skipped")
      .map((test) => `${String(spec["title"])}${reasonOf(test)}`),
  );
  const endedAs = (end: string): readonly string[] =>
    specs.filter((spec) => listOf(spec["tests"]).some(({ status }) => status === end)).flatMap(failuresIn);
  const outside = listOf(fields["errors"]);
  return {
    passed: countOf(stats["expected"]) + countOf(stats["flaky"]),
    failed: countOf(stats["unexpected"]) + outside.length,
    skipped,
    failures: [...endedAs("unexpected"), ...outside.map(({ message }) => firstLine(message))],
    failedFiles: [],
    unsteady: endedAs("flaky"),
  };
}
