/** Entry of the thread in which the relay computes challenges to the kernels of models. */
import { parentPort } from "node:worker_threads";
import { Probe, probeFuel } from "../../inference/measure/probe.ts";
import { createWasmBackend } from "../../inference/wasm/wasm-backend.ts";
import { isProbeCall } from "./probe-call.ts";

const port = parentPort;
if (port === null) throw new TypeError("this file is the entry of a worker thread");
const backend = createWasmBackend();
const probe = new Probe();

port.on("message", (call: unknown) => {
  if (!isProbeCall(call)) throw new TypeError("the relay asks for what no challenge is");
  void answer(call.kernels, call.seed, call.passes);
});

async function answer(kernels: "wasm-rows" | "wasm-row", seed: Uint8Array, passes: number): Promise<void> {
  const output = await probe.run(backend, kernels, { seed, passes });
  port?.postMessage({ output, fuel: probeFuel(kernels, passes) });
}
