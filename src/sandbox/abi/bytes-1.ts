import { FailureError } from "../../protocol/failure.ts";
import type { CompiledFunction } from "../compile-function.ts";
import { GuestMemory } from "../guest-memory.ts";
import {
  callable,
  exportedMemory,
  instantiate,
  refillStack,
  type RunningInstance,
  runStart,
} from "../instance.ts";
import { done, failed, type RunOutcome, usedFuel, withMemory } from "../outcome.ts";
import type { TaskRequest } from "../task.ts";
import { failureOfTrap, gaugeFailure } from "../trap.ts";

/**
 * The interface `bytes-1`: bytes in, bytes out, without WASI. A module exports
 *
 * - `memory`, its linear memory;
 * - `tabmesh_alloc(size: i32) -> i32`, which returns where `size` bytes may be written, or 0 when it has no room;
 * - `tabmesh_run(pointer: i32, length: i32) -> i64` (or a function of that type under the job's entry name), which is
 *   called once with the input and returns the output's pointer in the high and its length in the low 32 bits.
 *
 * It imports nothing, except that AssemblyScript's `env.abort` may be there: calling it ends the task as
 * `trap-unreachable` with the message. In C, for clang with `--target=wasm32 -nostdlib`:
 *
 *     __attribute__((export_name("tabmesh_alloc"))) void *tabmesh_alloc(unsigned size);
 *     __attribute__((export_name("tabmesh_run"))) unsigned long long tabmesh_run(const char *input, unsigned length);
 *
 * An instance serves one task, so nothing needs to be freed.
 */
const BYTES_ENTRY = "tabmesh_run";
const ALLOC = "tabmesh_alloc";

/** Imports that are allowed, `module.name` to type. */
export const BYTES_IMPORTS: ReadonlyMap<string, string> = new Map([["env.abort", "iiii:"]]);

/** AssemblyScript keeps a string's length in bytes in the four bytes before it. Longer messages are cut. */
const MAX_MESSAGE_BYTES = 1_024;

export function runBytes(compiled: CompiledFunction, request: TaskRequest): RunOutcome {
  const aborting: { memory?: GuestMemory } = {};
  const running = instantiate(compiled, abortImport(compiled, aborting), request.limits);
  const linear = exportedMemory(running.exports);
  const memory = new GuestMemory(linear, outside);
  aborting.memory = memory;
  return withMemory(outcomeOf(compiled, running, memory, request), linear);
}

function outcomeOf(
  compiled: CompiledFunction,
  running: RunningInstance,
  memory: GuestMemory,
  request: TaskRequest,
): RunOutcome {
  try {
    const output = callWith(compiled, running, memory, request);
    const failure = gaugeFailure(running.gauges);
    const fuel = usedFuel(request.limits, running.gauges.fuel.value);
    return failure === undefined ? done(output, fuel) : failed(failure, fuel);
  } catch (error) {
    const failure = failureOfTrap(error, running.gauges);
    return failed(failure, usedFuel(request.limits, running.gauges.fuel.value));
  }
}

function outside(): never {
  throw new FailureError("bad-output", "it returned a range outside its memory");
}

function callWith(
  compiled: CompiledFunction,
  { exports, gauges }: RunningInstance,
  memory: GuestMemory,
  { function: spec, input, limits }: TaskRequest,
): Uint8Array {
  const alloc = callable(compiled, exports, ALLOC, "i:i");
  const entry = callable(compiled, exports, spec.entry === "" ? BYTES_ENTRY : spec.entry, "ii:I");
  runStart(exports);
  refillStack(gauges);
  const pointer = Number(alloc(input.length)) >>> 0;
  if (pointer === 0 && input.length > 0) throw new FailureError("out-of-memory", `${ALLOC} returned 0`);
  memory.slice(pointer, input.length).set(input);
  refillStack(gauges);
  const result = entry(pointer, input.length);
  if (typeof result !== "bigint") throw new TypeError("an i64 is not a bigint");
  const packed = BigInt.asUintN(64, result);
  const length = Number(packed & 0xffff_ffffn);
  if (length > limits.outputBytes)
    throw new FailureError(
      "output-too-large",
      `${length} bytes of output, the limit is ${limits.outputBytes}`,
    );
  return memory.slice(Number(packed >> 32n), length).slice();
}

function abortImport(
  compiled: CompiledFunction,
  aborting: { readonly memory?: GuestMemory },
): WebAssembly.Imports {
  if (compiled.imports.length === 0) return {};
  const abort = (message: number, file: number, line: number, column: number): never => {
    const { memory } = aborting;
    const text = memory === undefined ? "" : `${readString(memory, message)} in ${readString(memory, file)}`;
    throw new FailureError("trap-unreachable", `abort: ${text}:${line >>> 0}:${column >>> 0}`);
  };
  return { env: { abort } };
}

/** A string as AssemblyScript stores it: UTF-16, its length in bytes in the four bytes before; "" for a null pointer. */
function readString(memory: GuestMemory, pointer: number): string {
  const at = pointer >>> 0;
  if (at < 4) return "";
  const length = Math.min(memory.getU32(at - 4), MAX_MESSAGE_BYTES) & ~1;
  return new TextDecoder("utf-16le").decode(memory.slice(at, length));
}
