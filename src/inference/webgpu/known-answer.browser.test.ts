import { expect, it } from "vitest";
import { CHOICES } from "./choice.ts";
import { DeviceLife } from "./device-life.ts";
import { KernelCache } from "./kernels.ts";
import { sweep } from "./known-answer.ts";
import { Pace } from "./pace.ts";
import { sweepExpected } from "./sweep.contract.ts";

it("every operation on every pair of edge values has the reference's result", async () => {
  const adapter = await navigator.gpu.requestAdapter();
  if (adapter === null) throw new Error("no WebGPU adapter");
  const device = await adapter.requestDevice();
  const [choice] = CHOICES;
  if (choice === undefined) throw new Error("no variants");
  const found = await sweep({
    device,
    kernels: new KernelCache(device),
    life: new DeviceLife(device),
    pace: new Pace(),
    choice,
    budget: { buffer: 2 ** 24, total: 2 ** 24 },
  });
  expect(found).toEqual(sweepExpected());
  device.destroy();
});
