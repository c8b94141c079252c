import { expect, it } from "vitest";
import type { Backend, EncoderBackend } from "../backend.ts";
import { describeBits } from "../backend.contract.ts";
import { describeEncoderBits } from "../encoder.contract.ts";
import { CHOICES } from "./choice.ts";
import { type Gpu, openGpu, type OpenGpuOptions } from "./open-gpu.ts";

async function readyGpu(options: OpenGpuOptions = {}): Promise<Gpu> {
  const opened = await openGpu(options);
  if (opened.kind === "refused") throw new Error(`${opened.reason}: ${opened.detail}`);
  return opened.gpu;
}

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

it("the known answers hold", async () => {
  const gpu = await readyGpu();
  console.log(gpu.parts.choice, gpu.times, gpu.about);
  expect(gpu.isLost).toBe(false);
});
