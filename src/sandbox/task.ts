import type { FailureCode } from "../protocol/failure-code.ts";

/**
 * What crosses the boundary between a window (or a Node process) and the thread that runs untrusted functions. Plain
 * values only, so that they survive a structured clone. Outcomes are data: a method rejects only on a bug.
 */

/**
 * `wasi-p1`: a WASI preview 1 command. `bytes-1`: bytes in, bytes out without WASI. See the files in `abi/`.
 * `component-1`: a component; see docs/components.md.
 */
export type Abi = CoreAbi | "component-1";

/** Interfaces of core modules. */
export type CoreAbi = "wasi-p1" | "bytes-1";

export interface FunctionSpec {
  /** CID of the module, as text; the key under which it was loaded. */
  readonly cid: string;
  readonly abi: Abi;
  /** Name of the exported function to call; "" means the interface's usual one (`_start`, `tabmesh_run`). */
  readonly entry: string;
}

/** What all tasks of a job have in common besides the function. `bytes-1` functions have no use for it and ignore it. */
export interface TaskArgs {
  /** After the program's name. `{input}` within one is replaced by the input as UTF-8 text. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /**
   * Files that exist before the program starts; missing directories are made, and a path that ends in "/" without
   * bytes is one by itself. Paths are absolute or relative to `/`.
   * The program sees the directory `/` when this list, `inputFile` or `outputFile` names a file.
   */
  readonly files: readonly TaskFile[];
  /** Path at which the input appears as a file; otherwise it is what standard input reads. */
  readonly inputFile?: string;
  /** Path of the file whose content is the output; otherwise it is what was written to standard output. */
  readonly outputFile?: string;
}

export interface TaskFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

export interface TaskLimits {
  /** Most fuel the task may use. A task that needs exactly this much is done. */
  readonly fuel: bigint;
  /** Most bytes of linear memory, rounded down to pages; in-memory files are limited to the same number besides. */
  readonly memoryBytes: number;
  /** Most bytes of output; standard output beyond it ends the task at once. */
  readonly outputBytes: number;
}

export interface TaskRequest {
  readonly function: FunctionSpec;
  readonly args: TaskArgs;
  /** May be transferred: the caller gives it up. */
  readonly input: Uint8Array;
  /** Any length; clock and randomness follow from it and from nothing else. */
  readonly seed: Uint8Array;
  readonly limits: TaskLimits;
}

/** Hashes are SHA-256, 32 bytes, computed in the thread. `stderr` is shortened and never part of the output. */
export type TaskResult = TaskDone | TaskFailed;

interface TaskTotals {
  readonly stderr: Uint8Array;
  /** The largest linear memory it had, bytes. Absent when nothing of it ran. */
  readonly peakMemoryBytes?: number;
}

export interface TaskDone extends TaskTotals {
  readonly kind: "done";
  readonly output: Uint8Array;
  readonly fuel: bigint;
  readonly inputSha256: Uint8Array;
  readonly outputSha256: Uint8Array;
}

export interface TaskFailed extends TaskTotals {
  readonly kind: "failed";
  readonly code: FailureCode;
  readonly detail: string;
  /** The function's calls when it trapped, innermost first: differs between engines, so it stays on this machine. */
  readonly stack?: readonly string[];
  /** Exact where the code is of the function itself (3xxxx); of no meaning for environmental codes (1xxxx). */
  readonly fuel: bigint;
  /** Absent when the thread never saw the input. */
  readonly inputSha256?: Uint8Array;
}

export type LoadResult =
  | { readonly kind: "loaded"; readonly meteredBytes: number; readonly minimumMemoryBytes: number }
  | { readonly kind: "failed"; readonly code: FailureCode; readonly detail: string };

export interface Sandbox {
  /**
   * Checks, meters and compiles a module and holds it under `cid`. The caller has verified that the bytes hash to it.
   * Fails with `invalid-module`, or `import-refused` when an import is on no interface's list.
   */
  load(cid: string, bytes: Uint8Array): Promise<LoadResult>;
  /** Runs one task in a fresh instance. A function that is not held fails with `function-unavailable`: load it again. */
  run(request: TaskRequest): Promise<TaskResult>;
  /** Lets go of a function. */
  forget(cid: string): Promise<void>;
}

/** A sandbox on another thread. To go there and back costs as much as a small task, so several may go together. */
export interface RemoteSandbox extends Sandbox {
  /** Runs tasks one after the other, and answers in their order when all have ended. */
  runAll(requests: readonly TaskRequest[]): Promise<readonly TaskResult[]>;
}
