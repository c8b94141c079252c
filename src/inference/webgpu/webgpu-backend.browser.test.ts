import { expect, it } from "vitest";
import type { Backend } from "../backend.ts";
import { describeBits, oddModel } from "../backend.contract.ts";
import { planForward } from "./forward-plan.ts";
import { KernelCache } from "./kernels.ts";
import { BufferMaker, uploadModel } from "./model-buffers.ts";
import { WebGpuBackend } from "./webgpu-backend.ts";

async function openDevice(): Promise<GPUDevice> {
  const adapter = await navigator.gpu.requestAdapter();
  if (adapter === null) throw new Error("no WebGPU adapter");
  return adapter.requestDevice();
}

const device = openDevice();
const backend: Backend = {
  name: "webgpu",
  open: async (model) => new WebGpuBackend(await device).open(model),
};

describeBits("WebGPU", backend);

it("one position takes at most six dispatches per layer and six more", async () => {
  const model = oddModel({ name: "", shape: { layers: 3 } });
  const maker = new BufferMaker(await device);
  const kernels = new KernelCache(await device);
  const plan = await planForward(await device, kernels, model, uploadModel(model, maker), maker, 1);
  expect(plan.forwardOne.length + plan.logits.length).toBeLessThanOrEqual(6 * 3 + 6);
  maker.destroy();
});
