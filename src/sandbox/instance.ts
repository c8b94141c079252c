import { failureCode } from "../protocol/failure-code.ts";
import { FailureError } from "../protocol/failure.ts";
import type { CompiledFunction } from "./compile-function.ts";
import { PAGE_BYTES, STACK_WORDS } from "./limits.ts";
import { METER_EXPORTS } from "./meter.ts";
import { tankOf } from "./outcome.ts";
import type { TaskLimits } from "./task.ts";
import { type Gauges, gaugesOf } from "./trap.ts";

export interface RunningInstance {
  readonly exports: WebAssembly.Exports;
  readonly gauges: Gauges;
}

const TRAP_MEMORY = failureCode("trap-memory-bounds");

/**
 * A fresh instance with its limits set. Nothing of the function has run yet: its start function is called by
 * `runStart`, under the limits.
 *
 * @throws FailureError `out-of-memory` when it needs more from the start than it may have, `trap-memory-bounds` when one
 *   of its segments does not fit (of data or of a table: engines do not tell), `no-memory` when this machine cannot
 */
export function instantiate(
  compiled: CompiledFunction,
  imports: WebAssembly.Imports,
  limits: TaskLimits,
): RunningInstance {
  const pages = Math.floor(limits.memoryBytes / PAGE_BYTES);
  if (compiled.minimumPages > pages) {
    const needs = compiled.minimumPages * PAGE_BYTES;
    throw new FailureError(
      "out-of-memory",
      `it starts with ${needs} bytes, the limit is ${limits.memoryBytes}`,
    );
  }
  const { exports } = newInstance(compiled.module, imports);
  const gauges = gaugesOf(exports);
  gauges.fuel.value = tankOf(limits);
  gauges.pages.value = Math.min(pages, compiled.maximumPages);
  return { exports, gauges };
}

function newInstance(module: WebAssembly.Module, imports: WebAssembly.Imports): WebAssembly.Instance {
  try {
    return new WebAssembly.Instance(module, imports);
  } catch (error) {
    if (error instanceof WebAssembly.RuntimeError)
      throw new FailureError(TRAP_MEMORY, "a segment does not fit where it belongs", { cause: error });
    if (error instanceof WebAssembly.LinkError) throw error;
    throw new FailureError("no-memory", "this machine could not allocate the function's memory", {
      cause: error,
    });
  }
}

/**
 * Gives all of the stack to what is called next: a function does not give its words back. Needed before each call into an
 * instance but the first, unless it is made from a call out of it.
 */
export function refillStack({ stack }: Gauges): void {
  stack.value = STACK_WORDS;
}

/** Calls the function's start function, if it has one. */
export function runStart(exports: WebAssembly.Exports): void {
  const start = exports[METER_EXPORTS.start];
  if (typeof start === "function") start();
}

/** An exported function, called with numbers and returning whatever its type says. */
export type Callable = (...args: readonly number[]) => unknown;

/**
 * An exported function of the wanted type.
 * @param signature in letters, see signatureOf
 * @throws FailureError `export-missing`
 */
export function callable(
  compiled: CompiledFunction,
  exports: WebAssembly.Exports,
  name: string,
  signature: string,
): Callable {
  const found = compiled.exportedFunctions.get(name);
  const value = exports[name];
  if (found === undefined || typeof value !== "function")
    throw new FailureError("export-missing", `there is no exported function ${name}`);
  if (found !== signature)
    throw new FailureError(
      "export-missing",
      `${name} has the type ${found}, the interface wants ${signature}`,
    );
  return (...args) => Reflect.apply(value, undefined, args);
}

/** @throws FailureError `export-missing` */
export function exportedMemory(exports: WebAssembly.Exports): WebAssembly.Memory {
  const { memory } = exports;
  if (memory instanceof WebAssembly.Memory) return memory;
  throw new FailureError("export-missing", "there is no exported memory");
}
