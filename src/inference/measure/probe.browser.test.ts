import { afterEach, beforeEach, expect, test } from "vitest";
import { failureCode } from "../../protocol/failure-code.ts";
import { createModelHost } from "../host/create-model-host.ts";
import type { MeasureResult, ModelHost } from "../host/model-host.ts";
import { writerModel } from "../host/models.contract.ts";

let host: ModelHost;
beforeEach(() => {
  host = createModelHost();
});
afterEach(() => host.close());

function outputOf(result: MeasureResult): readonly number[] {
  if (result.kind === "failed") throw new Error(result.detail);
  return [...result.output];
}

test("a graphics card that a model has opened answers challenges with the processor's bits, and says whether it is software", async () => {
  const seed = new Uint8Array(32).fill(3);
  const adapter = await navigator.gpu.requestAdapter();
  expect(await host.measure({ kernels: "webgpu-rows", seed, passes: 1 })).toMatchObject({
    kind: "failed",
    code: failureCode("gpu-lost"),
  });
  const model = await writerModel();
  const opened = await host.open(model.cid, model.file, { backend: "webgpu" }, () => undefined);
  expect(opened).toMatchObject({ kind: "open", backend: "webgpu" });
  for (const [kind, passes] of [
    ["rows", 2],
    ["row", 34],
  ] as const) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const there = await host.measure({ kernels: `webgpu-${kind}`, seed, passes });
    // oxlint-disable-next-line no-await-in-loop
    const here = await host.measure({ kernels: `wasm-${kind}`, seed, passes });
    expect(outputOf(there)).toEqual(outputOf(here));
    expect(there).toMatchObject({ isSoftware: adapter?.info.isFallbackAdapter });
    expect(here).toMatchObject({ isSoftware: false });
  }
}, 120_000);
