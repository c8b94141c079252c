import { failureCode } from "../../protocol/failure-code.ts";
import { type Failure, FailureError } from "../../protocol/failure.ts";
import type { TaskArgs, TaskRequest } from "../task.ts";
import { ErrorSink, OutputSink } from "./byte-sinks.ts";
import { Clock } from "./clock.ts";
import { type Descriptor, DescriptorTable } from "./descriptor.ts";
import { WasiError } from "./errno.ts";
import { FileSystem, type Place } from "./file-system.ts";
import type { Inode } from "./inode.ts";
import type { Program } from "./program.ts";
import { RandomStream } from "./random.ts";
import { ALL_RIGHTS, DIRECTORY_RIGHTS, STREAM_RIGHTS } from "./rights.ts";

/** What a program sees as its own name. */
const PROGRAM_NAME = "function";

/** Stands for the input's text in an argument. */
const INPUT_PLACEHOLDER = "{input}";

const NO_BYTES = new Uint8Array(0);

/**
 * Sets up what a task's program will see.
 * @throws FailureError `malformed` when arguments, environment or files cannot be given to a program
 */
export function createProgram({ args, input, seed, limits }: TaskRequest): Program {
  const clock = new Clock();
  const files = new FileSystem(clock, limits.memoryBytes);
  for (const { path, bytes } of args.files) addFile(files, path, bytes);
  if (args.inputFile !== undefined) addFile(files, args.inputFile, input);
  const stdout = new OutputSink(limits.outputBytes);
  const stderr = new ErrorSink();
  const stream = { flags: 0, base: STREAM_RIGHTS, inheriting: 0n };
  const initial: readonly Descriptor[] = [
    { kind: "input", bytes: args.inputFile === undefined ? input : NO_BYTES, offset: 0, ...stream },
    { kind: "output", sink: stdout, ...stream },
    { kind: "output", sink: stderr, ...stream },
    ...(namesFiles(args) ? [rootDescriptor(files)] : []),
  ];
  return {
    args: [PROGRAM_NAME, ...args.args.map((arg) => withInput(arg, input))].map((arg) =>
      cString(arg, "an argument"),
    ),
    env: Object.entries(args.env).map(([name, value]) =>
      cString(`${name}=${value}`, "an environment variable"),
    ),
    files,
    descriptors: new DescriptorTable(initial),
    clock,
    random: new RandomStream(seed),
    stdout,
    stderr,
    instance: undefined,
  };
}

function namesFiles({ files, inputFile, outputFile }: TaskArgs): boolean {
  return files.length > 0 || inputFile !== undefined || outputFile !== undefined;
}

function rootDescriptor(files: FileSystem): Descriptor {
  const rights = { base: DIRECTORY_RIGHTS, inheriting: ALL_RIGHTS };
  return { kind: "directory", inode: files.root, preopened: "/", flags: 0, ...rights };
}

function withInput(arg: string, input: Uint8Array): string {
  if (!arg.includes(INPUT_PLACEHOLDER)) return arg;
  return arg.replaceAll(INPUT_PLACEHOLDER, () => decodeInput(input));
}

function decodeInput(input: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(input);
  } catch (error) {
    throw new FailureError("malformed", "the input is not UTF-8, so it cannot stand in an argument", {
      cause: error,
    });
  }
}

function cString(text: string, what: string): Uint8Array {
  if (text.includes("\0")) throw new FailureError("malformed", `${what} contains a NUL character`);
  return new TextEncoder().encode(`${text}\0`);
}

function relative(path: string): string {
  return path.replace(/^\/+/, "");
}

/** Adds a file and the directories above it; a path that ends in a slash is a directory. */
function addFile(files: FileSystem, path: string, bytes: Uint8Array): void {
  try {
    if (path.endsWith("/") && bytes.length === 0) makeWay(files, `${relative(path)}.`);
    else files.createFile(makeWay(files, relative(path)), bytes);
  } catch (error) {
    if (error instanceof WasiError)
      throw new FailureError("malformed", `the file ${path} cannot exist: ${error.message}`, {
        cause: error,
      });
    throw error;
  }
}

/** The place of a path, with all directories above it made. */
function makeWay(files: FileSystem, path: string): Place {
  const names = path.split("/");
  for (let depth = 1; depth < names.length; depth += 1) {
    const above = files.find(files.root, names.slice(0, depth).join("/") || ".");
    if (above.inode === undefined) files.createDirectory(above);
  }
  return files.find(files.root, path);
}

/** What the program leaves as its output: standard output, or the content of the file that the task names. */
export function outputOf(program: Program, { args, limits }: TaskRequest): Uint8Array | Failure {
  if (args.outputFile === undefined) return program.stdout.take();
  const inode = lookUp(program.files, relative(args.outputFile));
  if (inode?.kind !== "file")
    return { code: failureCode("bad-output"), detail: `the program left no file ${args.outputFile}` };
  if (inode.size > limits.outputBytes)
    return {
      code: failureCode("output-too-large"),
      detail: `${inode.size} bytes, the limit is ${limits.outputBytes}`,
    };
  return inode.read(0, inode.size).slice();
}

function lookUp(files: FileSystem, path: string): Inode | undefined {
  try {
    return files.find(files.root, path).inode;
  } catch (error) {
    if (error instanceof WasiError) return undefined;
    throw error;
  }
}
