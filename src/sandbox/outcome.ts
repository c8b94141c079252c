import type { Failure } from "../protocol/failure.ts";
import { FULL_TANK } from "./limits.ts";
import type { TaskLimits } from "./task.ts";

/** How a run ended, before its bytes are hashed. */
export type RunOutcome =
  | { readonly kind: "done"; readonly output: Uint8Array; readonly fuel: bigint; readonly stderr: Uint8Array }
  | {
      readonly kind: "failed";
      readonly failure: Failure;
      readonly fuel: bigint;
      readonly stderr: Uint8Array;
    };

const NO_BYTES = new Uint8Array(0);

/** An outcome of a task that never ran. */
export function refused(failure: Failure): RunOutcome {
  return { kind: "failed", failure, fuel: 0n, stderr: NO_BYTES };
}

export function failed(failure: Failure, fuel: bigint, stderr: Uint8Array = NO_BYTES): RunOutcome {
  return { kind: "failed", failure, fuel, stderr };
}

export function done(output: Uint8Array, fuel: bigint, stderr: Uint8Array = NO_BYTES): RunOutcome {
  return { kind: "done", output, fuel, stderr };
}

/** Fuel used when `left` remains: never more than the limit, also when the last block overdrew it. */
export function usedFuel(limits: TaskLimits, left: bigint): bigint {
  const tank = tankOf(limits);
  return left < 0n ? tank : tank - left;
}

/** What a task starts with. A limit beyond FULL_TANK is cut to it, so that overdrawing cannot wrap. */
export function tankOf(limits: TaskLimits): bigint {
  if (limits.fuel < 0n) return 0n;
  return limits.fuel > FULL_TANK ? FULL_TANK : limits.fuel;
}
