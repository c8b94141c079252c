import { FailureError } from "../protocol/failure.ts";
import { meterModule } from "./meter.ts";

/**
 * A module for any engine that counts its own fuel in the exported mutable i64 global "tabmesh:fuel" and traps at 0 or
 * below; the rest behaves as before. Judges instructions and structure, not imports.
 * @param fuel what the global starts with
 * @throws FailureError `invalid-module`, also for what the engine refuses although the rewriting would have mended it
 */
export function standaloneModule(bytes: Uint8Array<ArrayBuffer>, fuel: bigint): Uint8Array<ArrayBuffer> {
  const metered = meterModule(bytes, { fuel, standalone: true }).bytes;
  if (!WebAssembly.validate(bytes))
    throw new FailureError("invalid-module", "the engine's type check failed");
  return metered;
}
