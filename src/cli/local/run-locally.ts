import { writeFile } from "node:fs/promises";
import type { ThreadEnd } from "../../relay/threads/sandbox-threads.ts";
import type { JobOptions } from "../../sdk/index.ts";
import { listenForInterrupts } from "../interrupts.ts";
import type { Exit } from "../plain-error.ts";
import { writeAll } from "../write-all.ts";
import { exitOfTask, taskJson, taskText } from "./local-report.ts";
import { type LocalFunction, localFunction } from "./local-task.ts";

export interface LocalRunFlags {
  readonly out?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly seed?: Uint8Array;
}

async function endOf(local: LocalFunction, input: Uint8Array): Promise<ThreadEnd> {
  const { startSandboxThreads } = await import("../../relay/threads/sandbox-threads.ts");
  const threads = startSandboxThreads({ threads: 1 });
  const interrupts = listenForInterrupts(() => undefined);
  try {
    return await threads.run(local.taskOn(input, interrupts.signal));
  } finally {
    interrupts.release();
    await threads.stop();
  }
}

/** Runs a function on this machine alone. With --json one line on standard output takes the place of the output. */
export async function runLocally(
  module: Uint8Array,
  input: Uint8Array,
  options: JobOptions,
  flags: LocalRunFlags,
): Promise<Exit> {
  const local = localFunction(module, options, flags.seed);
  const end = await endOf(local, input);
  const { result } = end;
  if (result.kind === "done" && flags.out !== undefined) await writeFile(flags.out, result.output);
  if (flags.json === true) {
    await writeAll(process.stdout, `${JSON.stringify(taskJson(end, local))}\n`);
    return exitOfTask(end);
  }
  if (result.kind === "done" && flags.out === undefined) await writeAll(process.stdout, result.output);
  await writeAll(process.stderr, result.stderr);
  if (flags.quiet !== true || result.kind === "failed") await writeAll(process.stderr, taskText(end));
  return exitOfTask(end);
}
