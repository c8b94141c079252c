import { createHash } from "node:crypto";
import { glob, readFile } from "node:fs/promises";
import { basename, dirname, extname, join, relative, resolve, sep } from "node:path";
import { usageError } from "../plain-error.ts";

/** One task of a map: what it is called, where its input comes from, and where its output goes. */
export interface MapTask {
  /** For people: the file, or the line. */
  readonly name: string;
  /** Below the output folder. */
  readonly output: string;
  read(): Promise<Uint8Array>;
}

/** What an output is called that no --ext renames. */
const DEFAULT_EXTENSION = ".out";

/** "wav" and ".wav" are the same. */
function withDot(extension: string): string {
  return extension === "" || extension.startsWith(".") ? extension : `.${extension}`;
}

/** The folder that all paths have in common. */
export function commonFolder(paths: readonly string[]): string {
  const [first = [], ...others] = paths.map((path) => dirname(path).split(sep));
  const parts = first.slice();
  for (const other of others) {
    let shared = 0;
    while (shared < parts.length && parts[shared] === other[shared]) shared += 1;
    parts.length = Math.min(parts.length, shared);
  }
  return parts.join(sep) || sep;
}

/** Output of an input file: its own name, with `extension` in the place of its extension, or ".out" after it. */
export function outputName(path: string, extension: string | undefined): string {
  if (extension === undefined) return `${path}${DEFAULT_EXTENSION}`;
  return join(dirname(path), `${basename(path, extname(path))}${withDot(extension)}`);
}

function requireDistinct(tasks: readonly MapTask[]): void {
  const seen = new Map<string, string>();
  for (const { name, output } of tasks) {
    const other = seen.get(output);
    if (other !== undefined)
      throw usageError(
        `${other} and ${name} would both be written to ${output}.`,
        "Leave --ext out, or map them one after the other.",
      );
    seen.set(output, name);
  }
}

/** The files of a glob, in the order of their names. @throws PlainError when there are none, or outputs collide. */
export async function fileTasks(pattern: string, extension: string | undefined): Promise<readonly MapTask[]> {
  const paths: string[] = [];
  for await (const entry of glob(pattern, { withFileTypes: true }))
    if (entry.isFile()) paths.push(resolve(entry.parentPath, entry.name));
  if (paths.length === 0)
    throw usageError(
      `No file matches ${pattern}.`,
      "Put the pattern in quotes, so that the shell leaves it alone.",
    );
  paths.sort();
  const folder = commonFolder(paths);
  const tasks = paths.map((path): MapTask => {
    const name = relative(folder, path);
    return {
      name,
      output: outputName(name, extension),
      read: async () => new Uint8Array(await readFile(path)),
    };
  });
  requireDistinct(tasks);
  return tasks;
}

/** The lines of a text, numbered from 1; empty lines are left out, and keep their number. */
export function lineTasks(text: string, extension: string | undefined): readonly MapTask[] {
  const lines = text.split(/\r?\n/u);
  const digits = Math.max(3, String(lines.length).length);
  return lines.flatMap((line, index): MapTask[] => {
    if (line.trim() === "") return [];
    const number = String(index + 1).padStart(digits, "0");
    return [
      {
        name: `line ${index + 1}`,
        output: `${number}${extension === undefined ? DEFAULT_EXTENSION : withDot(extension)}`,
        read: () => Promise.resolve(new TextEncoder().encode(line)),
      },
    ];
  });
}

/** Inputs in order, each read when it is asked for. */
export async function* inputsOf(tasks: readonly MapTask[]): AsyncGenerator<Uint8Array> {
  // oxlint-disable-next-line no-await-in-loop -- read when somebody has room for it
  for (const task of tasks) yield await task.read();
}

export function sha256Hex(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
