import { readFile, writeFile } from "node:fs/promises";
import { buffer } from "node:stream/consumers";
import type { Command } from "commander";
import { FailureError } from "../../protocol/failure.ts";
import type { MapResult } from "../../sdk/index.ts";
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
import { runLocally } from "../local/run-locally.ts";
import { type Exit, usageError } from "../plain-error.ts";
import { carry } from "../requester.ts";
import { exitOf, summaryJson, summaryText } from "../summary.ts";
import { writeAll } from "../write-all.ts";

interface RunFlags extends JobFlags, ProgramFlags, LocalFlags {
  readonly input?: string;
  readonly argsJson?: string;
  readonly out?: string;
}

/** Told here rather than by whoever runs it: quotes get lost in a shell. */
function argumentsOf(json: string): Uint8Array {
  try {
    JSON.parse(json);
  } catch {
    throw usageError(`--args-json takes JSON, not ${json}.`, `For example --args-json '["text", 3]'`);
  }
  return new TextEncoder().encode(json);
}

/** A terminal is not waited for: a program that reads nothing should not ask for an end of file. */
async function readInput(path: string | undefined): Promise<Uint8Array> {
  if (path !== undefined) return new Uint8Array(await readFile(path));
  if (process.stdin.isTTY) return new Uint8Array(0);
  return new Uint8Array(await buffer(process.stdin));
}

async function runFunction(path: string, args: readonly string[], flags: RunFlags): Promise<Exit> {
  requireLocal(flags);
  const module = new Uint8Array(await readFile(path));
  const { input: inputPath, argsJson } = flags;
  if (inputPath !== undefined && argsJson !== undefined)
    throw usageError("run takes either --input or --args-json: both are the function's input.");
  const input = argsJson === undefined ? await readInput(inputPath) : argumentsOf(argsJson);
  const options = { ...limitsOf(flags), ...(await programOf(flags, args)) };
  if (flags.local === true) return runLocally(module, input, options, flags);
  let result: MapResult | undefined;
  const { summary, testMoney } = await carry(flags, {
    module,
    inputs: [input],
    count: 1,
    options: { parallel: 1, ...options },
    onResult: (each) => void (result = each),
  });
  if (result?.kind === "failed") throw new FailureError(result.code, result.detail);
  if (result !== undefined) {
    if (flags.out === undefined) await writeAll(process.stdout, result.output);
    else await writeFile(flags.out, result.output);
  }
  if (flags.json === true) {
    const { outputCid, fuel, output } = result ?? {};
    const told = {
      ok: result !== undefined,
      ...(result === undefined ? {} : { outputCid, outputBytes: output?.length, fuel: fuel?.toString() }),
      ...summaryJson(summary),
    };
    // Standard output belongs to the program where no file does.
    await writeAll(flags.out === undefined ? process.stderr : process.stdout, `${JSON.stringify(told)}\n`);
  } else if (flags.quiet !== true) {
    process.stderr.write(`${summaryText(summary, testMoney)}\n`);
  }
  return exitOf(summary);
}

export function addRunCommand(program: Command, end: (exit: Exit) => void): void {
  const command = program
    .command("run")
    .description("run a function once: standard input in, standard output out")
    .argument("<function>", "WASM: a WASI preview 1 command, a module of the bytes interface, or a component")
    .argument("[args...]", "arguments of the program, after --; the same as --arg for each")
    .option("-i, --input <file>", "read the input from a file")
    .option("--args-json <json>", "arguments of a component's function: a list, or an object by name")
    .option("-o, --out <file>", "write the output to a file")
    .addHelpText(
      "after",
      "\nExamples:\n  npx tabmesh run examples/wordcount-c/wordcount.wasm < README.md\n" +
        '  npx tabmesh run flite.wasm --arg -t --arg "{input}" --arg -o --arg out.wav --output-file out.wav \\\n' +
        "    < line.txt > line.wav\n" +
        `  npx tabmesh run stats.wasm --entry summarise --args-json '[[1.5, 2, 4]]'\n` +
        "  npx tabmesh run --local --json count.wasm --file data.csv=numbers.csv -- --column 3 data.csv\n\n" +
        "With --local the function runs in a thread of this process, in the same sandbox as in a tab; --relay, --cap,\n" +
        "--parallel, --wait and --yes are of no use then. With --local --json one line on standard output takes the\n" +
        "place of the output: outcome, failure with its stack, fuel, peak memory, time, size and SHA-256 of the output,\n" +
        "standard error, profile and interface. Providers can read inputs; --local sends nothing.",
    )
    .action(async (path: string, args: readonly string[], flags: RunFlags) =>
      end(await runFunction(path, args, flags)),
    );
  addLocalFlags(addProgramFlags(addJobFlags(command)));
}
