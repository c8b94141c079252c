import { writeFile } from "node:fs/promises";
import { encodeRunRecord } from "../../plan/run-record.ts";
import { listenForInterrupts } from "../interrupts.ts";
import { EXIT, type Exit } from "../plain-error.ts";
import { writeAll } from "../write-all.ts";
import { findWork, requireWork } from "./find-work.ts";
import { paramsOf } from "./plan-params.ts";
import { readPlan } from "./read-plan.ts";
import { RunDisplay } from "./run-display.ts";
import {
  exitOfRun,
  type FinishedRun,
  resultOutput,
  runFailureText,
  runJson,
  runSummaryText,
} from "./run-report.ts";
import type { RunTally } from "./run-tally.ts";
import { verdictOn } from "./verify-record.ts";

export interface RunPlanFlags {
  readonly param?: readonly (readonly [string, string])[];
  readonly with?: readonly string[];
  readonly local?: boolean;
  readonly allowOrigin?: readonly string[];
  readonly timeout?: number;
  readonly out?: string;
  readonly record?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** Runs a plan: in this process, or over the mesh. */
export async function runPlan(path: string, flags: RunPlanFlags): Promise<Exit> {
  const read = await readPlan(path);
  const params = await paramsOf(read.plan, flags.param ?? []);
  const work = await findWork(read.plan, path, flags.with ?? []);
  requireWork(read.plan, work);
  const display = new RunDisplay({
    screen: process.stderr,
    plan: read.plan,
    money: { testMoney: true, isFree: true },
    quiet: flags.quiet === true,
  });
  const interrupts = listenForInterrupts(() =>
    display.note("Cancelling the run. Press Ctrl-C again to quit at once."),
  );
  let finished: FinishedRun;
  try {
    const { runPlanLocally } = await import("./local/run-plan-locally.ts");
    finished = await runPlanLocally(read, {
      params,
      work,
      localOrigins: flags.allowOrigin ?? [],
      ...(flags.timeout === undefined ? {} : { timeoutMs: flags.timeout }),
      display,
      signal: interrupts.signal,
    });
  } finally {
    display.end();
    interrupts.release();
  }
  return report(finished, display.tally, flags);
}

/** Tells what a run came to, keeps its record where that is wanted, and verifies it in any case. */
export async function report(
  finished: FinishedRun,
  tally: RunTally,
  flags: Pick<RunPlanFlags, "out" | "record" | "json" | "quiet">,
): Promise<Exit> {
  const { result, failure, record } = finished;
  const verdict = await verdictOn(record);
  if (flags.record !== undefined) await writeFile(flags.record, encodeRunRecord(record));
  if (flags.out !== undefined && result !== undefined) await writeFile(flags.out, result.bytes);
  if (flags.json === true)
    await writeAll(process.stdout, `${JSON.stringify(runJson(finished, tally, verdict))}\n`);
  else if (flags.out === undefined && result !== undefined)
    await writeAll(process.stdout, resultOutput(finished, process.stdout.isTTY));
  if (failure !== undefined) await writeAll(process.stderr, runFailureText(finished, failure));
  if (flags.quiet !== true || !verdict.ok) {
    const kept = flags.record === undefined ? "" : `, its record is in ${flags.record}`;
    const problems = verdict.problems.map((problem) => `\n  ${problem}`).join("");
    await writeAll(process.stderr, `${runSummaryText(finished, tally, verdict)}${kept}${problems}\n`);
  }
  return verdict.ok ? exitOfRun(finished) : EXIT.failed;
}
