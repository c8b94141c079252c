import { mkdir } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { cidFromDigest, RAW } from "../../protocol/cid.ts";
import { fuel } from "../../protocol/units.ts";
import type { SandboxThreads, ThreadEnd } from "../../relay/threads/sandbox-threads.ts";
import type { JobOptions } from "../../sdk/index.ts";
import type { MapTask } from "../commands/map-inputs.ts";
import { keepResult, type MapOutcome } from "../commands/map-results.ts";
import { listenForInterrupts } from "../interrupts.ts";
import { EXIT, type Exit } from "../plain-error.ts";
import { countText } from "../quantities.ts";
import { failureLine } from "../summary.ts";
import { writeAll } from "../write-all.ts";
import { type LocalFunction, localFunction } from "./local-task.ts";

export interface LocalMapFlags {
  readonly out: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly parallel?: number;
  readonly seed?: Uint8Array;
}

interface LocalMap {
  readonly threads: SandboxThreads;
  readonly local: LocalFunction;
  readonly tasks: readonly MapTask[];
  readonly flags: LocalMapFlags;
  readonly signal: AbortSignal;
  /** What --json tells, by the task's place. */
  readonly told: Readonly<Record<string, unknown>>[];
  failed: number;
}

function outcomeOf({ result }: ThreadEnd): MapOutcome {
  if (result.kind === "failed") return result;
  return {
    kind: "done",
    output: result.output,
    outputCid: cidFromDigest(RAW, result.outputSha256),
    fuel: fuel(result.fuel),
  };
}

async function mapOne(map: LocalMap, index: number, task: MapTask): Promise<void> {
  const { threads, local, flags, signal } = map;
  const outcome = outcomeOf(await threads.run(local.taskOn(await task.read(), signal)));
  if (signal.aborted) return;
  map.told[index] = await keepResult(task, outcome, flags.out);
  if (outcome.kind === "done") return;
  map.failed += 1;
  if (flags.json !== true && flags.quiet !== true)
    process.stderr.write(`${failureLine(task.name, outcome)}\n`);
}

/** Takes one task after the other until none is left; as many of these run as there are threads. */
async function mapEach(map: LocalMap, left: Iterator<[number, MapTask]>): Promise<void> {
  for (let next = left.next(); next.done !== true && !map.signal.aborted; next = left.next()) {
    // oxlint-disable-next-line no-await-in-loop -- the next when this one has ended
    await mapOne(map, ...next.value);
  }
}

async function report({ tasks, told, failed, flags, signal, local }: LocalMap): Promise<Exit> {
  const results = tasks.flatMap((_, index) => told[index] ?? []);
  const done = results.length - failed;
  const failedExit = failed > 0 ? EXIT.failed : EXIT.ok;
  const exit = signal.aborted ? EXIT.interrupted : failedExit;
  if (flags.json === true) {
    const { abi, cid } = local;
    const counts = { tasks: tasks.length, done, failed, cancelled: signal.aborted };
    await writeAll(process.stdout, `${JSON.stringify({ ok: exit === 0, abi, cid, ...counts, results })}\n`);
  } else if (flags.quiet !== true) {
    const state = signal.aborted ? "Cancelled" : "Done here";
    const lost = failed === 0 ? "" : `, ${failed} failed`;
    const text = `${state}: ${done} of ${countText(tasks.length, "task")}${lost}. Outputs are in ${flags.out}.\n`;
    await writeAll(process.stderr, text);
  }
  return exit;
}

/** Runs a function on every input on this machine alone, --parallel threads at a time (one per processor if absent). */
export async function mapLocally(
  module: Uint8Array,
  tasks: readonly MapTask[],
  options: JobOptions,
  flags: LocalMapFlags,
): Promise<Exit> {
  const { startSandboxThreads } = await import("../../relay/threads/sandbox-threads.ts");
  await mkdir(flags.out, { recursive: true });
  const parallel = Math.min(flags.parallel ?? availableParallelism(), tasks.length);
  const threads = startSandboxThreads({ threads: parallel });
  const interrupts = listenForInterrupts(() => undefined);
  const local = localFunction(module, options, flags.seed);
  const map: LocalMap = { threads, local, tasks, flags, signal: interrupts.signal, told: [], failed: 0 };
  try {
    const left = tasks.entries();
    await Promise.all(Array.from({ length: parallel }, () => mapEach(map, left)));
  } finally {
    interrupts.release();
    await threads.stop();
  }
  return report(map);
}
