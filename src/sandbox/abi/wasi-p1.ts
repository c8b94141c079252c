import { failureCode } from "../../protocol/failure-code.ts";
import type { Failure } from "../../protocol/failure.ts";
import type { CompiledFunction } from "../compile-function.ts";
import { GuestMemory } from "../guest-memory.ts";
import { type Callable, callable, exportedMemory, instantiate, refillStack, runStart } from "../instance.ts";
import { done, failed, type LocatedFailure, type RunOutcome, usedFuel, withMemory } from "../outcome.ts";
import type { TaskRequest } from "../task.ts";
import { failureOfTrap, gaugeFailure, type Gauges } from "../trap.ts";
import type { WasiCall } from "../wasi/call.ts";
import { DESCRIPTOR_CALLS } from "../wasi/descriptor-calls.ts";
import { ENVIRONMENT_CALLS } from "../wasi/environment-calls.ts";
import { failWith } from "../wasi/errno.ts";
import { PATH_CALLS } from "../wasi/path-calls.ts";
import { POLL_CALLS, SOCKET_CALLS } from "../wasi/poll-calls.ts";
import { createProgram, outputOf } from "../wasi/create-program.ts";
import { ExitSignal, type Program } from "../wasi/program.ts";
import { TRANSFER_CALLS } from "../wasi/transfer-calls.ts";

/**
 * The interface `wasi-p1`: a command of WASI preview 1. Standard input, arguments, environment and files come from the
 * task; the output is standard output or a named file. A task that names any file gets one preopened directory, `/`,
 * in memory, to read and write in; a task that names none gets none. Time, sleep
 * and randomness are the same on every machine (see Clock and RandomStream); sockets do not exist. Every call into
 * the host costs HOST_CALL_FUEL and 1 per 8 bytes that it moves.
 */
const MODULE = "wasi_snapshot_preview1";
const WASI_ENTRY = "_start";

const CALLS: ReadonlyMap<string, WasiCall> = new Map(
  Object.entries({
    ...ENVIRONMENT_CALLS,
    ...DESCRIPTOR_CALLS,
    ...TRANSFER_CALLS,
    ...PATH_CALLS,
    ...POLL_CALLS,
    ...SOCKET_CALLS,
  }),
);

/** Imports that are allowed, `module.name` to type. */
export const WASI_IMPORTS: ReadonlyMap<string, string> = new Map(
  Array.from(CALLS, ([name, call]) => [`${MODULE}.${name}`, call.signature]),
);

export function runWasi(compiled: CompiledFunction, request: TaskRequest): RunOutcome {
  const program = createProgram(request);
  const running = instantiate(compiled, importsFor(compiled, program), request.limits);
  const linear = exportedMemory(running.exports);
  const memory = new GuestMemory(linear, () => failWith("fault"));
  program.instance = { memory, gauges: running.gauges };
  const entryName = request.function.entry === "" ? WASI_ENTRY : request.function.entry;
  const entry = callable(compiled, running.exports, entryName, ":");
  const failure = runToEnd(
    running.exports,
    [...initializer(compiled, running.exports, entryName), entry],
    running.gauges,
  );
  const fuel = usedFuel(request.limits, running.gauges.fuel.value);
  const stderr = program.stderr.take();
  if (failure !== undefined) return withMemory(failed(failure, fuel, stderr), linear);
  const output = outputOf(program, request);
  const outcome = output instanceof Uint8Array ? done(output, fuel, stderr) : failed(output, fuel, stderr);
  return withMemory(outcome, linear);
}

/** Only what the module asks for: most programs use a dozen of the calls. */
function importsFor(compiled: CompiledFunction, program: Program): WebAssembly.Imports {
  const functions: WebAssembly.ModuleImports = {};
  for (const { name } of compiled.imports) {
    const call = CALLS.get(name);
    if (call !== undefined) functions[name] = call.bind(program);
  }
  return { [MODULE]: functions };
}

/** A reactor is told to prepare itself before anything else of it is called; a command has no such function. */
function initializer(
  compiled: CompiledFunction,
  exports: WebAssembly.Exports,
  entryName: string,
): readonly Callable[] {
  const name = "_initialize";
  if (entryName === WASI_ENTRY || !compiled.exportedFunctions.has(name)) return [];
  return [callable(compiled, exports, name, ":")];
}

/** Runs the start function and then these; the failure it ended with, if any. */
function runToEnd(
  exports: WebAssembly.Exports,
  calls: readonly Callable[],
  gauges: Gauges,
): LocatedFailure | undefined {
  try {
    runStart(exports);
    for (const call of calls) {
      refillStack(gauges);
      call();
    }
    return gaugeFailure(gauges);
  } catch (error) {
    if (!(error instanceof ExitSignal)) return failureOfTrap(error, gauges);
    return gaugeFailure(gauges) ?? exitFailure(error.exitCode);
  }
}

function exitFailure(exitCode: number): Failure | undefined {
  if (exitCode === 0) return undefined;
  return { code: failureCode("exit-code"), detail: `exit code ${exitCode}` };
}
