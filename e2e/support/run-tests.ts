/**
 * `npm test`: finds browsers, then runs every check and test, goes on after a failure, and sums up at the end.
 * `npm test -- unit e2e` runs the steps named; `--list` names them.
 */
import { spawn } from "node:child_process";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { findFirefox } from "../../src/cli/browser/find-chromium.ts";
import { canInstall, ensureChromium, installPackages } from "../../src/cli/browser/install-browser.ts";
import { PACKAGE_FOLDER } from "../../src/cli/built-app.ts";
import { explain, explanationText } from "../../src/cli/explain.ts";
import { checkTally, readPlaywright, readVitest, runAgain, type Tally } from "./test-report.ts";

const OUT = join(PACKAGE_FOLDER, "out", "test");
/** The longest step but the journeys takes four and a half minutes on two cores; one that hangs must not take all time with it. */
const STEP_TIMEOUT_MS = 7 * 60_000;
/** Everything together stays under a quarter of an hour. */
const RUN_TIMEOUT_MS = 14.5 * 60_000;
/** For a program that knows its limit to stop by itself and write its report. */
const REPORT_MS = 20_000;

interface Step {
  readonly name: string;
  /** Program below node_modules/.bin, and its arguments. */
  readonly command: readonly [string, ...string[]];
  /** Reads the report that the step leaves; a step without one is one check. */
  readonly read?: (report: unknown) => Tally;
  readonly env?: Readonly<Record<string, string>>;
  /** Tells the program how long it may take; it may then use all the time that is left. */
  readonly limit?: (ms: number) => string;
  /** Can run the files that are named alone. */
  readonly takesFiles?: boolean;
}

/** More failed files than these are no accident. */
const MOST_AGAIN = 4;

function reportOf(name: string): string {
  return join(OUT, `${name}.json`);
}

function vitest(name: string, project: string): Step {
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${reportOf(name)}`];
  return {
    name,
    command: ["vitest", "run", "--project", project, ...reporters],
    read: readVitest,
    takesFiles: true,
  };
}

const STEPS: readonly Step[] = [
  { name: "types", command: ["tsc", "-b"] },
  { name: "lint", command: ["oxlint", "--deny-warnings"] },
  { name: "format", command: ["oxfmt", "--check"] },
  { name: "unused", command: ["knip"] },
  vitest("unit", "node"),
  vitest("browser", "browser"),
  { name: "build", command: ["vite", "build"] },
  {
    name: "e2e",
    command: ["playwright", "test", "--retries=1", "--reporter=list,json"],
    read: readPlaywright,
    // Node reads TypeScript itself; Playwright's own reading of it takes ten seconds at first.
    env: { PLAYWRIGHT_JSON_OUTPUT_FILE: reportOf("e2e"), PW_DISABLE_TS_ESM: "1" },
    limit: (ms) => `--global-timeout=${Math.round(ms)}`,
  },
];

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

async function run(
  step: Step,
  env: NodeJS.ProcessEnv,
  timeoutMs: number,
  files: readonly string[] = [],
): Promise<boolean> {
  const [program, ...rest] = step.command;
  const given = [...rest, ...files];
  const args = step.limit === undefined ? given : [...given, step.limit(Math.max(1, timeoutMs - REPORT_MS))];
  const child = spawn(join(PACKAGE_FOLDER, "node_modules", ".bin", program), args, {
    cwd: PACKAGE_FOLDER,
    stdio: ["ignore", "inherit", "inherit"],
    env: { ...process.env, ...env, ...step.env },
    timeout: Math.ceil(timeoutMs),
  });
  return new Promise((resolve) => {
    child.on("error", () => resolve(false));
    child.on("exit", (code, signal) => {
      if (signal !== null) say(`${step.name} was stopped: it took longer than it may (${signal}).`);
      resolve(code === 0);
    });
  });
}

async function tallyOf(step: Step, isOk: boolean): Promise<Tally> {
  const one = checkTally(isOk);
  if (step.read === undefined) return one;
  try {
    const tally = step.read(JSON.parse(await readFile(reportOf(step.name), "utf8")));
    return isOk || tally.failed > 0 ? tally : { ...tally, failed: 1 };
  } catch {
    return { ...checkTally(false), failures: ["it left no report"] };
  }
}

/** Runs a step; its files that fail are run again by themselves, since two cores with many tests make any of them wait. */
async function runStep(step: Step, env: NodeJS.ProcessEnv, timeLeft: () => number): Promise<Tally> {
  const mostMs = (): number =>
    step.limit === undefined ? Math.min(timeLeft(), STEP_TIMEOUT_MS) : timeLeft();
  const attempt = async (files: readonly string[]): Promise<Tally> => {
    await rm(reportOf(step.name), { force: true });
    const isOk = timeLeft() > 0 && (await run(step, env, mostMs(), files));
    return tallyOf(step, isOk);
  };
  const first = await attempt([]);
  const files = first.failedFiles;
  if (step.takesFiles !== true || files.length === 0 || files.length > MOST_AGAIN) return first;
  say(`\n— ${step.name}, again by themselves: ${files.join(" ")}`);
  return runAgain(first, await attempt(files));
}

/** Browsers for the steps. Firefox is for one journey, which says so when there is none. */
async function browsers(): Promise<NodeJS.ProcessEnv> {
  const chromium = await ensureChromium(say);
  let firefox = findFirefox(process.env);
  if (firefox === undefined && canInstall()) {
    say("No Firefox here: installing it with apt-get.");
    if (await installPackages("firefox-esr")) firefox = findFirefox(process.env);
  }
  say(`Chromium: ${chromium}`);
  say(`Firefox:  ${firefox ?? "none, so journeys in Firefox are skipped"}`);
  return {
    CHROMIUM_PATH: chromium,
    // Hundreds of tests start the command.
    NODE_COMPILE_CACHE: join(OUT, "compiled"),
    ...(firefox === undefined ? {} : { FIREFOX_PATH: firefox }),
  };
}

async function runAll(steps: readonly Step[]): Promise<number> {
  const startedMs = performance.now();
  await mkdir(OUT, { recursive: true });
  const env = await browsers();
  const lines: string[] = [];
  const skipped: string[] = [];
  const failures: string[] = [];
  const unsteady: string[] = [];
  let [passed, failed] = [0, 0];
  for (const step of steps) {
    say(`\n— ${step.name}: ${step.command.join(" ")}`);
    // Two cores: one step at a time.
    const stepStartMs = performance.now();
    const tally = await runStep(step, env, () =>
      Math.round(RUN_TIMEOUT_MS - (performance.now() - startedMs)),
    );
    passed += tally.passed;
    failed += tally.failed;
    skipped.push(...tally.skipped.map((name) => `${step.name}: ${name}`));
    failures.push(...tally.failures.map((line) => `${step.name}: ${line}`));
    unsteady.push(...tally.unsteady.map((line) => `${step.name}: ${line}`));
    const seconds = ((performance.now() - stepStartMs) / 1000).toFixed(1);
    lines.push(
      `${tally.failed === 0 ? "✓" : "✗"} ${step.name.padEnd(8)} ${String(tally.passed).padStart(5)} passed, ` +
        `${tally.failed} failed, ${tally.skipped.length} skipped  ${seconds.padStart(6)} s`,
    );
  }
  say("");
  for (const name of skipped) say(`skipped: ${name}`);
  for (const line of unsteady) say(`unsteady, passed at its second run: ${line}`);
  for (const line of failures) say(`FAILED: ${line}`);
  for (const line of lines) say(line);
  const summary = `${passed} passed, ${failed} failed`;
  await writeFile(join(OUT, "summary.txt"), `${summary}\n`);
  say(summary);
  return failed === 0 ? 0 : 1;
}

const wanted = process.argv.slice(2);
if (wanted.includes("--list")) {
  say(STEPS.map(({ name }) => name).join("\n"));
} else {
  const unknown = wanted.find((name) => !STEPS.some((step) => step.name === name));
  if (unknown === undefined) {
    try {
      process.exitCode = await runAll(
        wanted.length === 0 ? STEPS : STEPS.filter(({ name }) => wanted.includes(name)),
      );
    } catch (error) {
      const explanation = explain(error);
      process.stderr.write(explanationText(explanation));
      process.exitCode = explanation.exit;
    }
  } else {
    process.stderr.write(
      `There is no step ${unknown}. The steps: ${STEPS.map(({ name }) => name).join(", ")}\n`,
    );
    process.exitCode = 2;
  }
}
