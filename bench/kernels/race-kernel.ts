/** A kernel raced in three forms: as it is, metered, and metered with NaNs left as the machine makes them. */
import { meterModule, METER_EXPORTS } from "../../src/sandbox/meter.ts";
import type { Kernel } from "./kernels.ts";
import { kernelRunner, race } from "./race.ts";

/** Milliseconds of the fastest runs of one kernel, and what the metered ones cost. */
export interface Race {
  readonly name: string;
  readonly rawMs: number;
  readonly meteredMs: number;
  /** Without canonical NaNs. */
  readonly plainMs: number;
  readonly fuel: number;
}

export function fuelLeft(exports: WebAssembly.Exports): bigint {
  const global = exports[METER_EXPORTS.fuel];
  if (!(global instanceof WebAssembly.Global)) throw new TypeError("there is no fuel");
  return BigInt(global.value);
}

/** In Node and in a page. @throws Error when a result is not the kernel's own */
export async function raceKernel(kernel: Kernel, wasm: Uint8Array<ArrayBuffer>): Promise<Race> {
  const raw = await kernelRunner(wasm, kernel);
  const metered = await kernelRunner(meterModule(wasm).bytes, kernel);
  const plain = await kernelRunner(meterModule(wasm, { canonicalNaN: false }).bytes, kernel);
  const [rawMs = NaN, meteredMs = NaN, plainMs = NaN] = await race([raw, metered, plain]);
  const before = fuelLeft(metered.exports);
  const result = metered.run();
  if (result !== kernel.result) throw new Error(`${kernel.name} gave ${result}`);
  const fuel = Number(before - fuelLeft(metered.exports));
  return { name: kernel.name, rawMs, meteredMs, plainMs, fuel };
}
