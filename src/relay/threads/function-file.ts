import { FULL_TANK } from "../../sandbox/limits.ts";
import { outlineOf } from "../../sandbox/inspect/module-outline.ts";
import { standaloneModule } from "../../sandbox/standalone.ts";

export { inspectModule, type Inspection } from "../../sandbox/inspect/inspect-module.ts";

/** Fuel that a rewritten module starts with unless told otherwise: 2^62. */
export const MOST_FUEL: bigint = FULL_TANK;

export interface Rewritten {
  readonly bytes: Uint8Array;
  /** Bytes of the code section before and after. */
  readonly codeBefore: number;
  readonly codeAfter: number;
}

/** See standaloneModule. @throws FailureError `invalid-module` */
export function rewriteFunction(bytes: Uint8Array<ArrayBuffer>, fuel: bigint): Rewritten {
  const metered = standaloneModule(bytes, fuel);
  return { bytes: metered, codeBefore: outlineOf(bytes).codeBytes, codeAfter: outlineOf(metered).codeBytes };
}
