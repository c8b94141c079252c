import { readFile, writeFile } from "node:fs/promises";
import { buffer } from "node:stream/consumers";
import type { Command } from "commander";
import { FailureError } from "../../protocol/failure.ts";
import type { MapResult } from "../../sdk/index.ts";
import {
  addJobFlags,
  addProgramFlags,
  type JobFlags,
  limitsOf,
  type ProgramFlags,
  programOf,
} from "../job-flags.ts";
import type { Exit } from "../plain-error.ts";
import { carry } from "../requester.ts";
import { exitOf, summaryJson, summaryText } from "../summary.ts";
import { writeAll } from "../write-all.ts";

interface RunFlags extends JobFlags, ProgramFlags {
  readonly input?: string;
  readonly out?: string;
}

/** A terminal is not waited for: a program that reads nothing should not ask for an end of file. */
async function readInput(path: string | undefined): Promise<Uint8Array> {
  if (path !== undefined) return new Uint8Array(await readFile(path));
  if (process.stdin.isTTY) return new Uint8Array(0);
  return new Uint8Array(await buffer(process.stdin));
}

async function runFunction(path: string, flags: RunFlags): Promise<Exit> {
  const module = new Uint8Array(await readFile(path));
  const input = await readInput(flags.input);
  let result: MapResult | undefined;
  const { summary, testMoney } = await carry(flags, {
    module,
    inputs: [input],
    count: 1,
    options: { parallel: 1, ...limitsOf(flags), ...(await programOf(flags)) },
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
    .argument("<function>", "WASM module: a WASI preview 1 command, or one of the bytes interface")
    .option("-i, --input <file>", "read the input from a file")
    .option("-o, --out <file>", "write the output to a file")
    .addHelpText(
      "after",
      "\nExamples:\n  npx tabmesh run examples/wordcount-c/wordcount.wasm < README.md\n" +
        '  npx tabmesh run flite.wasm --arg -t --arg "{input}" --arg -o --arg out.wav --output-file out.wav \\\n' +
        "    < line.txt > line.wav\n\nProviders can read inputs.",
    )
    .action(async (path: string, flags: RunFlags) => end(await runFunction(path, flags)));
  addProgramFlags(addJobFlags(command));
}
