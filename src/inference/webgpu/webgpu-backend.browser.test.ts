import type { Backend, EncoderBackend } from "../backend.ts";
import { describeBits } from "../backend.contract.ts";
import { describeEncoderBits } from "../encoder.contract.ts";
import { CHOICES } from "./choice.ts";
import type { OpenGpuOptions } from "./open-gpu.ts";
import { readyGpu } from "./open-gpu.contract.ts";

function backendWith(options: OpenGpuOptions): Backend & EncoderBackend {
  const gpu = readyGpu(options);
  return {
    name: "webgpu",
    open: async (model) => (await gpu).backend.open(model),
    openEncoder: async (model) => (await gpu).backend.openEncoder(model),
  };
}

for (const choice of CHOICES) {
  const backend = backendWith({ choice });
  const name = `WebGPU, ${choice.rows}, ${choice.slices} threads for an output`;
  describeBits(name, backend);
  describeEncoderBits(name, backend);
}
