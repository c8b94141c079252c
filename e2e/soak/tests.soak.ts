/** All tests in their full counts, and those that take longer than they tell news. */
import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Measurement } from "../../bench/bench.ts";
import { readPlaywright, readVitest, type Tally } from "../support/test-report.ts";
import type { Soak, SoakContext } from "./soak.ts";

const FOLDER = join(import.meta.dirname, "..", "..");
const REPORT = join(FOLDER, "bench", "soak-state", "tests-report.json");

interface Part {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  readonly read?: (report: unknown) => Tally;
}

function vitest(name: string, project: string): Part {
  const flags = ["--reporter=default", "--reporter=json", `--outputFile.json=${REPORT}`];
  return { name, command: ["vitest", "run", "--project", project, ...flags], read: readVitest };
}

const PARTS: readonly Part[] = [
  vitest("unit", "node"),
  vitest("browser", "browser"),
  { name: "build", command: ["vite", "build"] },
  { name: "e2e", command: ["playwright", "test", "--reporter=list,json"], read: readPlaywright },
];

/** What an interrupted run has behind it, by the name of the part. */
type Reached = Record<string, readonly [passed: number, failed: number]>;

async function runPart({ command: [program, ...args] }: Part, signal: AbortSignal): Promise<void> {
  const env = { ...process.env, TABMESH_TESTS: "full", PLAYWRIGHT_JSON_OUTPUT_FILE: REPORT };
  const path = join(FOLDER, "node_modules", ".bin", program);
  const child = spawn(path, args, { cwd: FOLDER, env, signal, stdio: ["ignore", "inherit", "inherit"] });
  await new Promise<void>((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", () => resolve());
  });
}

async function run(context: SoakContext): ReturnType<Soak["run"]> {
  const reached = (context.state ?? {}) as Reached;
  for (const part of PARTS) {
    if (part.name in reached) continue;
    // oxlint-disable-next-line no-await-in-loop -- two cores: one part at a time
    await runPart(part, context.signal);
    // oxlint-disable-next-line no-await-in-loop
    const tally = part.read?.(JSON.parse(await readFile(REPORT, "utf8")));
    for (const line of tally?.failures ?? []) context.log(`FAILED: ${line}`);
    reached[part.name] = [tally?.passed ?? 0, tally?.failed ?? 0];
    // oxlint-disable-next-line no-await-in-loop
    await context.save(reached);
  }
  return Object.entries(reached).flatMap(([name, [passed, failed]]): readonly Measurement[] =>
    passed + failed === 0
      ? []
      : [
          { name: `tests: ${name}, passed`, value: passed, unit: "tests", goal: null },
          { name: `tests: ${name}, failed`, value: failed, unit: "tests" },
        ],
  );
}

export const soaks: readonly Soak[] = [{ name: "tests", goal: { value: 0, better: "lower" }, run }];
