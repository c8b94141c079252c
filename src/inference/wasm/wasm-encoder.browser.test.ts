import { describeEncoderBits } from "../encoder.contract.ts";
import { createWasmEncoderBackend } from "./wasm-encoder.ts";

for (const build of ["baseline", "relaxed"] as const)
  describeEncoderBits(`WebAssembly in a browser, ${build}`, createWasmEncoderBackend({ build }));
