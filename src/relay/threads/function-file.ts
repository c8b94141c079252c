import { FULL_TANK } from "../../sandbox/limits.ts";
import { outlineOf } from "../../sandbox/inspect/module-outline.ts";
import { meterModule } from "../../sandbox/meter.ts";

export { inspectModule, type Inspection } from "../../sandbox/inspect/inspect-module.ts";

/** Fuel that a rewritten module starts with unless told otherwise: 2^62. */
export const MOST_FUEL: bigint = FULL_TANK;

export interface Rewritten {
  readonly bytes: Uint8Array;
  /** Bytes of the code section before and after. */
  readonly codeBefore: number;
  readonly codeAfter: number;
}

/**
 * A module for any engine that counts its own fuel in the exported mutable i64 global "tabmesh:fuel" and traps at 0 or
 * below; the rest behaves as before. Judges instructions and structure, not imports.
 * @param fuel what the global starts with
 * @throws FailureError `invalid-module`
 */
export function rewriteFunction(bytes: Uint8Array, fuel: bigint): Rewritten {
  const metered = meterModule(bytes, { fuel, standalone: true }).bytes;
  return { bytes: metered, codeBefore: outlineOf(bytes).codeBytes, codeAfter: outlineOf(metered).codeBytes };
}
