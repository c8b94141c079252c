import type { Failure } from "../protocol/failure.ts";
import { FULL_TANK } from "./limits.ts";
import type { TaskLimits } from "./task.ts";

/** How a run ended, before its bytes are hashed. */
export type RunOutcome = (
  | { readonly kind: "done"; readonly output: Uint8Array }
  | { readonly kind: "failed"; readonly failure: LocatedFailure }
) & {
  readonly fuel: bigint;
  readonly stderr: Uint8Array;
  /** Size of the linear memory in the end, bytes: its largest, since memory only grows. Absent when nothing ran. */
  readonly memoryBytes?: number;
};

/** A failure, and where in the function it happened as far as this engine tells. */
export interface LocatedFailure extends Failure {
  /** See wasmStack: for people alone, never compared or hashed. */
  readonly stack?: readonly string[];
  /** A trap in the fast form: only the precise form can tell how much fuel was used, and which of similar traps it was. */
  readonly inexact?: true;
}

const NO_BYTES = new Uint8Array(0);

/** An outcome of a task that never ran. */
export function refused(failure: Failure): RunOutcome {
  return { kind: "failed", failure, fuel: 0n, stderr: NO_BYTES };
}

export function failed(failure: LocatedFailure, fuel: bigint, stderr: Uint8Array = NO_BYTES): RunOutcome {
  return { kind: "failed", failure, fuel, stderr };
}

export function done(output: Uint8Array, fuel: bigint, stderr: Uint8Array = NO_BYTES): RunOutcome {
  return { kind: "done", output, fuel, stderr };
}

/** Adds the size that the run's memory had in the end. */
export function withMemory(outcome: RunOutcome, memory: WebAssembly.Memory): RunOutcome {
  return { ...outcome, memoryBytes: memory.buffer.byteLength };
}

/** Fuel used when `left` remains: never more than the limit, also when the last block overdrew it. */
export function usedFuel(limits: TaskLimits, left: bigint): bigint {
  const tank = tankOf(limits);
  return left <= 0n ? tank - 1n : tank - left;
}

/**
 * What a task starts with: one more than its limit, because a function with nothing left has run out, and one that
 * used exactly its limit has not. A limit beyond FULL_TANK is cut to it, so that overdrawing cannot wrap.
 */
export function tankOf(limits: TaskLimits): bigint {
  if (limits.fuel < 0n) return 1n;
  return limits.fuel >= FULL_TANK ? FULL_TANK : limits.fuel + 1n;
}
