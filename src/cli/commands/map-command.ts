import { mkdir, readFile } from "node:fs/promises";
import type { Command } from "commander";
import {
  addJobFlags,
  addLocalFlags,
  addProgramFlags,
  type JobFlags,
  limitsOf,
  type LocalFlags,
  type ProgramFlags,
  programOf,
  requireLocal,
} from "../job-flags.ts";
import { mapLocally } from "../local/map-locally.ts";
import { type Exit, usageError } from "../plain-error.ts";
import { carry } from "../requester.ts";
import { exitOf, failureLine, summaryJson, summaryText } from "../summary.ts";
import { writeAll } from "../write-all.ts";
import { fileTasks, inputsOf, lineTasks, type MapTask } from "./map-inputs.ts";
import { keepResult } from "./map-results.ts";

interface MapFlags extends JobFlags, ProgramFlags, LocalFlags {
  readonly inputs?: string;
  readonly lines?: string;
  readonly out: string;
  readonly ext?: string;
}

async function tasksOf({ inputs, lines, ext }: MapFlags): Promise<readonly MapTask[]> {
  if (inputs !== undefined && lines === undefined) return fileTasks(inputs, ext);
  if (lines !== undefined && inputs === undefined) {
    const tasks = lineTasks(await readFile(lines, "utf8"), ext);
    if (tasks.length === 0) throw usageError(`${lines} holds no line with text.`);
    return tasks;
  }
  throw usageError("map takes either --inputs or --lines.", "For example --inputs 'photos/*.ppm'");
}

async function mapFunction(path: string, args: readonly string[], flags: MapFlags): Promise<Exit> {
  requireLocal(flags);
  const tasks = await tasksOf(flags);
  const module = new Uint8Array(await readFile(path));
  const options = { ...limitsOf(flags), ...(await programOf(flags, args)) };
  if (flags.local === true) return mapLocally(module, tasks, options, flags);
  await mkdir(flags.out, { recursive: true });
  const told: Readonly<Record<string, unknown>>[] = [];
  const { summary, testMoney } = await carry(flags, {
    module,
    inputs: inputsOf(tasks),
    count: tasks.length,
    options,
    async onResult(result, display) {
      const task = tasks[result.index];
      if (task === undefined) return;
      told[result.index] = await keepResult(task, result, flags.out);
      if (result.kind === "failed" && flags.json !== true) display.note(failureLine(task.name, result));
    },
  });
  const exit = exitOf(summary);
  if (flags.json === true) {
    const results = tasks.flatMap((_, index) => told[index] ?? []);
    await writeAll(
      process.stdout,
      `${JSON.stringify({ ok: exit === 0, ...summaryJson(summary), results })}\n`,
    );
  } else if (flags.quiet !== true) {
    process.stderr.write(`${summaryText(summary, testMoney)} Outputs are in ${flags.out}.\n`);
  }
  return exit;
}

export function addMapCommand(program: Command, end: (exit: Exit) => void): void {
  const command = program
    .command("map")
    .description("run a function on many inputs: each file, or each line of a text, is a task")
    .argument("<function>", "WASM: a WASI preview 1 command, a module of the bytes interface, or a component")
    .argument("[args...]", "arguments of the program, after --; the same as --arg for each")
    .option("--inputs <glob>", "files, as a pattern in quotes")
    .option("--lines <file>", "text whose lines are the inputs")
    .requiredOption("--out <folder>", "where the outputs go, named after the inputs")
    .option("--ext <extension>", "extension of the outputs, such as .wav")
    .addHelpText(
      "after",
      "\nExamples:\n  npx tabmesh map wordcount.wasm --inputs 'texts/**/*.txt' --out counts/ --ext .count\n" +
        '  npx tabmesh map flite.wasm --lines poem.txt --arg -t --arg "{input}" --arg -o --arg out.wav \\\n' +
        "    --output-file out.wav --out spoken/ --ext .wav\n" +
        "  npx tabmesh map --local wordcount.wasm --inputs 'texts/*.txt' --out counts/\n\n" +
        "With --local the function runs in threads of this process, --parallel at a time, without relay, identity or\n" +
        "money. Providers can read inputs; --local sends nothing.",
    )
    .action(async (path: string, args: readonly string[], flags: MapFlags) =>
      end(await mapFunction(path, args, flags)),
    );
  addLocalFlags(addProgramFlags(addJobFlags(command)));
}
