/** The ledger's properties over random stories, twenty times as many as `npm test` tries. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { PACKAGE_FOLDER } from "../../src/cli/built-app.ts";
import { readVitest } from "../support/test-report.ts";
import type { Soak, SoakContext } from "./soak.ts";

/** Each round is one run of the tests, which draw their stories anew. */
const ROUNDS = 20;

const FOLDER = join(PACKAGE_FOLDER, "bench", "soak-state", "ledger-properties");
const FILES = ["src/ledger", "src/relay/books/stories.test.ts", "src/relay/books/log-tree.test.ts"];

interface State {
  readonly rounds: number;
  readonly passed: number;
  readonly failed: number;
}

async function round(signal: AbortSignal): Promise<{ passed: number; failed: number; printed: string }> {
  const report = join(FOLDER, "report.json");
  await rm(report, { force: true });
  const vitest = join(PACKAGE_FOLDER, "node_modules", ".bin", "vitest");
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
  const child = spawn(vitest, ["run", "--project", "node", ...FILES, ...reporters], {
    cwd: PACKAGE_FOLDER,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, NO_COLOR: "1" },
    signal,
  });
  let printed = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => (printed += text));
  await once(child, "close");
  const { passed, failed } = readVitest(JSON.parse(await readFile(report, "utf8")));
  return { passed, failed, printed };
}

async function run(context: SoakContext): ReturnType<Soak["run"]> {
  const { state, signal } = context;
  await mkdir(FOLDER, { recursive: true });
  let { rounds, passed, failed } = (state as State | undefined) ?? { rounds: 0, passed: 0, failed: 0 };
  while (rounds < ROUNDS && !signal.aborted) {
    const result = await round(signal);
    rounds += 1;
    passed += result.passed;
    failed += result.failed;
    // A property that failed prints the seed to see it again.
    context.log(result.failed === 0 ? `${rounds} rounds` : result.printed);
    await context.save({ rounds, passed, failed } satisfies State);
  }
  signal.throwIfAborted();
  await rm(FOLDER, { recursive: true, force: true });
  return [
    {
      name: "ledger-properties: rounds",
      value: rounds,
      unit: "times npm test",
      goal: { value: ROUNDS, better: "higher" },
    },
    { name: "ledger-properties: passed", value: passed, unit: "tests", goal: null },
    { name: "ledger-properties: failed", value: failed, unit: "tests" },
  ];
}

export const soaks: readonly Soak[] = [
  { name: "ledger-properties", goal: { value: 0, better: "lower" }, run },
];
