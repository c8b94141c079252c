import { failureKind } from "../../../src/protocol/failure-code.ts";
import { toHex } from "../../../src/protocol/bytes.ts";
import { createSandbox } from "../../../src/sandbox/sandbox.ts";
import type { Abi, Sandbox, TaskResult } from "../../../src/sandbox/task.ts";

/** A task as JSON, so that it reaches any engine as text. Bytes are hexadecimal. */
export interface Subject {
  readonly says: string;
  readonly module: string;
  readonly abi: Abi;
  readonly entry: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly files: readonly { readonly path: string; readonly hex: string }[];
  readonly outputFile?: string;
  readonly input: string;
  readonly fuel: string;
  readonly memoryBytes: number;
  readonly outputBytes: number;
}

function bytesOf(hex: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(hex.length / 2);
  for (let at = 0; at < bytes.length; at += 1) bytes[at] = Number.parseInt(hex.slice(at * 2, at * 2 + 2), 16);
  return bytes;
}

async function resultOf(sandbox: Sandbox, subject: Subject): Promise<TaskResult> {
  const { abi, entry, args, env, files, outputFile, memoryBytes, outputBytes } = subject;
  return sandbox.run({
    function: { cid: "f", abi, entry },
    args: {
      args,
      env,
      files: files.map(({ path, hex }) => ({ path, bytes: bytesOf(hex) })),
      ...(outputFile === undefined ? {} : { outputFile }),
    },
    input: bytesOf(subject.input),
    seed: new Uint8Array(32),
    limits: { fuel: BigInt(subject.fuel), memoryBytes, outputBytes },
  });
}

function essence(result: TaskResult): string {
  const fuel = `${result.fuel} fuel, ${result.peakMemoryBytes ?? "no"} bytes of memory`;
  if (result.kind === "failed") return `${failureKind(result.code).name}, ${fuel}, ${toHex(result.stderr)}`;
  return `done, ${fuel}, ${toHex(result.outputSha256)}, ${toHex(result.stderr)}`;
}

/** Runs every task in a sandbox of this engine. A line for each: how it ended, for how much, and with which bytes. */
export async function answersOf(subjects: readonly Subject[]): Promise<readonly string[]> {
  const sandbox = createSandbox();
  const answers: string[] = [];
  // One sandbox runs one after the other.
  for (const subject of subjects) {
    await sandbox.forget("f");
    const loaded = await sandbox.load("f", bytesOf(subject.module));
    const answer =
      loaded.kind === "failed"
        ? `refused: ${failureKind(loaded.code).name}`
        : essence(await resultOf(sandbox, subject));
    answers.push(`${subject.says}: ${answer}`);
  }
  return answers;
}
