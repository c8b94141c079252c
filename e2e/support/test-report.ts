/** What a step of `npm test` came to. */
export interface Tally {
  readonly passed: number;
  readonly failed: number;
  /** One line for each test that was not run. */
  readonly skipped: readonly string[];
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
  };
}

function specsOf(suite: Fields): readonly Fields[] {
  return [...listOf(suite["specs"]), ...listOf(suite["suites"]).flatMap(specsOf)];
}

function reasonOf(test: Fields): string {
  const reason = listOf(test["annotations"]).find(({ type }) => type === "skip")?.["description"];
  return typeof reason === "string" ? ` (${reason})` : "";
}

/** Reads Playwright's JSON report. A test that passed at a second attempt counts as failed: it must not be flaky. */
export function readPlaywright(report: unknown): Tally {
  const fields = fieldsOf(report);
  const stats = fieldsOf(fields["stats"]);
  const skipped = listOf(fields["suites"])
    .flatMap(specsOf)
    .flatMap((spec) =>
      listOf(spec["tests"])
        .filter(({ status }) => status === "skipped")
        .map((test) => `${String(spec["title"])}${reasonOf(test)}`),
    );
  return {
    passed: countOf(stats["expected"]),
    failed: countOf(stats["unexpected"]) + countOf(stats["flaky"]) + listOf(fields["errors"]).length,
    skipped,
  };
}
