import { writeFile } from "node:fs/promises";
import { encodeRunRecord } from "../../plan/run-record.ts";
import type { Value } from "../../plan/json-value.ts";
import type { RunEvent } from "../../plan/runner-ports.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import { listenForInterrupts } from "../interrupts.ts";
import type { RelayFlags } from "../job-flags.ts";
import { EXIT, type Exit, usageError } from "../plain-error.ts";
import { connectAs } from "../requester.ts";
import { writeAll } from "../write-all.ts";
import { findWork, requireWork, type Work } from "./find-work.ts";
import { keepRun } from "./kept-runs.ts";
import { paramsOf } from "./plan-params.ts";
import { type ReadPlan, readPlan } from "./read-plan.ts";
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

export interface RunPlanFlags extends RelayFlags {
  readonly param?: readonly (readonly [string, string])[];
  readonly with?: readonly string[];
  readonly holder?: readonly PeerId[];
  readonly local?: boolean;
  readonly allowOrigin?: readonly string[];
  readonly secret?: readonly (readonly [string, string])[];
  readonly cap?: bigint;
  readonly wait?: number;
  readonly timeout?: number;
  readonly out?: string;
  readonly record?: string;
  readonly quiet?: boolean;
  readonly yes?: boolean;
}

/** Runs a plan: in this process, or over the mesh. */
export async function runPlan(path: string, flags: RunPlanFlags): Promise<Exit> {
  if (flags.allowOrigin !== undefined && flags.local !== true)
    throw usageError(
      "--allow-origin goes with --local.",
      "Over the mesh each provider's person says what effects may reach.",
    );
  if (flags.holder !== undefined && flags.local === true)
    throw usageError("--holder does not go with --local.", "A run in this process ends with it.");
  const read = await readPlan(path);
  const params = await paramsOf(read.plan, flags.param ?? []);
  const work = await findWork(read.plan, path, flags.with ?? []);
  const interrupts = listenForInterrupts(() =>
    process.stderr.write(
      `${flags.holder === undefined ? "Cancelling the run" : "Leaving the run to its holders"}. Press Ctrl-C again to quit at once.\n`,
    ),
  );
  try {
    const carried = await carryPlan(read, { ...flags, params, work, signal: interrupts.signal });
    return await report(carried, flags);
  } finally {
    interrupts.release();
  }
}

export interface CarryOptions extends Pick<
  RunPlanFlags,
  "relay" | "yes" | "holder" | "local" | "allowOrigin" | "secret" | "cap" | "wait" | "timeout" | "quiet"
> {
  readonly params: Readonly<Record<string, Value>>;
  readonly work: Work;
  readonly signal: AbortSignal;
  readonly onEvent?: (event: RunEvent) => void;
}

export interface CarriedPlan {
  readonly finished: FinishedRun;
  readonly tally: RunTally;
}

/** Carries a plan out and shows how it goes; what it came to is data. */
export async function carryPlan(read: ReadPlan, options: CarryOptions): Promise<CarriedPlan> {
  const {
    holder,
    local,
    allowOrigin = [],
    cap,
    wait,
    timeout,
    quiet,
    params,
    work,
    signal,
    onEvent,
  } = options;
  if (local === true) requireWork(read.plan, work);
  const secrets = Object.fromEntries(options.secret ?? []);
  const tabmesh = local === true ? undefined : await connectAs(options);
  const money = { testMoney: tabmesh?.relay.testMoney ?? true, isFree: tabmesh === undefined };
  const screen = process.stderr;
  const display = new RunDisplay({ screen, plan: read.plan, money, quiet: quiet === true });
  const common = {
    params,
    signal,
    onEvent(event: RunEvent) {
      display.add(event);
      onEvent?.(event);
    },
    ...(timeout === undefined ? {} : { timeoutMs: timeout }),
  };
  try {
    if (tabmesh === undefined) {
      const { runPlanLocally } = await import("./local/run-plan-locally.ts");
      const finished = await runPlanLocally(read, { ...common, work, localOrigins: allowOrigin, secrets });
      return { finished, tally: display.tally };
    }
    const { runOverMesh } = await import("./run-over-mesh.ts");
    const finished = await runOverMesh(tabmesh, read, {
      ...common,
      work,
      secrets,
      holders: holder ?? [],
      ...(cap === undefined ? {} : { budget: cap }),
      ...(wait === undefined ? {} : { waitMs: wait }),
    });
    return { finished, tally: display.tally };
  } finally {
    display.end();
    await tabmesh?.close();
  }
}

/** Tells what a run came to, keeps its record where that is wanted, and verifies it in any case. */
export async function report(
  { finished, tally }: CarriedPlan,
  flags: Pick<RunPlanFlags, "out" | "record" | "json" | "quiet">,
): Promise<Exit> {
  const { run, result, failure, record } = finished;
  const verdict = await verdictOn(record);
  await keepRun(run, record);
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
