import { failureCode, type FailureCode } from "../protocol/failure-code.ts";
import { type Failure, FailureError } from "../protocol/failure.ts";
import { METER_EXPORTS } from "./meter.ts";
import { GROW } from "./meter/emit-helper.ts";
import type { LocatedFailure } from "./outcome.ts";
import { wasmStack } from "./wasm-stack.ts";

/** The globals by which host and metered module talk; see METER_EXPORTS. */
export interface Gauges {
  readonly fuel: WebAssembly.Global<"i64">;
  readonly stack: WebAssembly.Global<"i32">;
  readonly pages: WebAssembly.Global<"i32">;
  readonly grow: WebAssembly.Global<"i32">;
  readonly hint: WebAssembly.Global<"i32">;
}

/** Finds the gauges of a metered instance. @throws TypeError when the module was not metered: a bug */
export function gaugesOf(exports: WebAssembly.Exports): Gauges {
  const { fuel, stack, pages, grow, hint } = METER_EXPORTS;
  const tank = exports[fuel];
  if (!isI64Global(tank)) throw new TypeError(`the module lacks ${fuel}: it was not metered`);
  return {
    fuel: tank,
    stack: i32Global(exports, stack),
    pages: i32Global(exports, pages),
    grow: i32Global(exports, grow),
    hint: i32Global(exports, hint),
  };
}

function i32Global(exports: WebAssembly.Exports, name: string): WebAssembly.Global<"i32"> {
  const value = exports[name];
  if (isI32Global(value)) return value;
  throw new TypeError(`the module lacks ${name}: it was not metered`);
}

function isI64Global(value: WebAssembly.ExportValue | undefined): value is WebAssembly.Global<"i64"> {
  return value instanceof WebAssembly.Global && typeof value.value === "bigint";
}

function isI32Global(value: WebAssembly.ExportValue | undefined): value is WebAssembly.Global<"i32"> {
  return value instanceof WebAssembly.Global && typeof value.value === "number";
}

/**
 * Messages of traps in V8, SpiderMonkey and JavaScriptCore, first match wins. Where two instructions share a message in
 * one of the engines, the rewriter leaves a hint instead (integer overflow against conversion in SpiderMonkey, table
 * against memory bounds there, an indirect call beyond its table in all).
 */
const TRAPS: readonly (readonly [RegExp, FailureCode])[] = [
  [/by zero/i, failureCode("trap-divide-by-zero")],
  [/unreachable/i, failureCode("trap-unreachable")],
  [/divide result unrepresentable/i, failureCode("trap-integer-overflow")],
  [/unrepresentable|invalid conversion|integer overflow|trunc/i, failureCode("trap-invalid-conversion")],
  [/null function|signature|indirect/i, failureCode("trap-indirect-call")],
  [/table|element/i, failureCode("trap-table-bounds")],
  [/out of bounds/i, failureCode("trap-memory-bounds")],
];

const DIVIDE_BY_ZERO = failureCode("trap-divide-by-zero");
const UNREACHABLE = failureCode("trap-unreachable");

/** Takes fuel for something that the host does, and ends the function when none is left. @throws FailureError `out-of-fuel` */
export function takeFuel({ fuel }: Gauges, amount: bigint): void {
  const left = fuel.value - amount;
  fuel.value = left;
  if (left <= 0n) throw new FailureError("out-of-fuel", "the fuel limit was reached in a call into the host");
}

/**
 * Whether what came out of an instance is a trap of the function's own, so that in the fast form its fuel, and which of
 * similar traps it was, is not known yet. Limits and what the host threw are known at once.
 */
function isOwnTrap(error: unknown, gauges: Gauges): boolean {
  return error instanceof WebAssembly.RuntimeError && gaugeFailure(gauges) === undefined;
}

/** What the gauges alone say about a run, however it ended; undefined when they show nothing. */
export function gaugeFailure({ fuel, stack, grow }: Gauges): Failure | undefined {
  if (fuel.value <= 0n) return failure("out-of-fuel", "the fuel limit was reached");
  if (stack.value < 0) return failure("stack-overflow", "calls nested deeper than the profile's stack");
  return grow.value === GROW.impossible
    ? failure("no-memory", "this engine could not grow the memory")
    : undefined;
}

function failure(
  name: "out-of-fuel" | "stack-overflow" | "no-memory" | "out-of-memory" | "worker-lost",
  detail: string,
): Failure {
  return { code: failureCode(name), detail };
}

/**
 * The failure that an exception out of a metered instance stands for: the same code on every engine. The engine's own
 * limits (its stack, its memory) are environmental, never the function's fault. Rethrows what is neither: a bug of the host.
 */
export function failureOfTrap(error: unknown, gauges: Gauges): LocatedFailure {
  const kind = kindOfTrap(error, gauges);
  const stack = wasmStack(error);
  return {
    ...kind,
    ...(stack.length === 0 ? {} : { stack }),
    ...(isOwnTrap(error, gauges) ? { inexact: true } : {}),
  };
}

function kindOfTrap(error: unknown, gauges: Gauges): Failure {
  const shown = gaugeFailure(gauges);
  if (shown !== undefined) return shown;
  if (error instanceof FailureError) return error.toFailure();
  if (!(error instanceof WebAssembly.RuntimeError)) return engineFailure(error);
  const code = trapCode(error.message, gauges.hint.value);
  if (code === undefined)
    return failure("worker-lost", `the engine reported an unknown trap: ${error.message}`);
  if (code === UNREACHABLE && gauges.grow.value === GROW.refused)
    return failure("out-of-memory", "the function aborted after it was refused more memory");
  return { code, detail: error.message };
}

function trapCode(text: string, hint: number): FailureCode | undefined {
  // JavaScriptCore adds the calling expression.
  const message = text.replace(/\(evaluating.*/s, "");
  const code = TRAPS.find(([pattern]) => pattern.test(message))?.[1];
  if (hint === 0 || code === DIVIDE_BY_ZERO) return code;
  return TRAPS.find(([, known]) => known === hint)?.[1] ?? code;
}

/** The engine gave up, not the function: its native stack or its memory ran out. */
function engineFailure(error: unknown): Failure {
  if (error instanceof Error && /call stack|recursion|stack overflow/i.test(error.message))
    return failure("worker-lost", "this engine's stack is smaller than the profile's");
  if (error instanceof RangeError || (error instanceof Error && /memory/i.test(error.message)))
    return failure("no-memory", `this engine could not allocate: ${error.message}`);
  throw error;
}
