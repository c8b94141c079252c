import { describe, expect, it } from "vitest";
import { failureCode } from "../../protocol/failure-code.ts";
import { oddModel, someTokens } from "../backend.contract.ts";
import { ODD_ENCODERS, oddEncoder, someTexts } from "../encoder.contract.ts";
import type { EncoderModel } from "../model/encoder-model.ts";
import { referenceBackend } from "../reference/reference-backend.ts";
import { referenceEncoderBackend } from "../reference/reference-encoder.ts";
import { CHOICES } from "./choice.ts";
import type { Gpu } from "./open-gpu.ts";
import { readyGpu } from "./open-gpu.contract.ts";
import { Pace } from "./pace.ts";
import { WebGpuBackend } from "./webgpu-backend.ts";

const GPU_LOST = { code: failureCode("gpu-lost") };
const NO_MEMORY = { code: failureCode("no-memory") };

function smallEncoder(): EncoderModel {
  const [odd] = ODD_ENCODERS;
  if (odd === undefined) throw new Error("no shapes");
  return oddEncoder(odd);
}

/** Bytes of the buffers that a device has made and not destroyed. */
function countBuffers(device: GPUDevice): () => number {
  let bytes = 0;
  const create = device.createBuffer.bind(device);
  device.createBuffer = (descriptor) => {
    const buffer = create(descriptor);
    const destroy = buffer.destroy.bind(buffer);
    let size = buffer.size;
    bytes += size;
    buffer.destroy = (): undefined => {
      bytes -= size;
      size = 0;
      destroy();
    };
    return buffer;
  };
  return () => bytes;
}

async function withGpu(run: (gpu: Gpu) => Promise<void>): Promise<void> {
  const [choice] = CHOICES;
  const gpu = await readyGpu(choice === undefined ? {} : { choice });
  try {
    await run(gpu);
  } finally {
    gpu.close();
  }
}

describe("a lost device", () => {
  it("ends the call under way and all after it with gpu-lost, and opening again recovers", async () => {
    const model = oddModel({ name: "", shape: { context: 600 } });
    const tokens = someTokens(model);
    await withGpu(async (gpu) => {
      const decoder = await gpu.backend.open(model);
      const encoder = await gpu.backend.openEncoder(smallEncoder());
      const running = decoder.forward(tokens);
      gpu.parts.device.destroy();
      await expect(running).rejects.toMatchObject(GPU_LOST);
      expect(gpu.isLost).toBe(true);
      await expect(decoder.forward([0])).rejects.toMatchObject(GPU_LOST);
      await expect(decoder.logits(new Int32Array(model.shape.width))).rejects.toMatchObject(GPU_LOST);
      await expect(encoder.encode([[1]])).rejects.toMatchObject(GPU_LOST);
      await expect(gpu.backend.open(model)).rejects.toMatchObject(GPU_LOST);
      expect(decoder.positions).toBe(0);
      decoder.close();
    });
    await withGpu(async (gpu) => {
      const decoder = await gpu.backend.open(model);
      const expected = await (await referenceBackend.open(model)).forward(tokens.slice(0, 9));
      expect(await decoder.forward(tokens.slice(0, 9))).toEqual(expected);
    });
  });
});

describe("memory", () => {
  it("is counted to the byte, and given back", async () => {
    await withGpu(async (gpu) => {
      const used = countBuffers(gpu.parts.device);
      const decoder = await gpu.backend.open(oddModel({ name: "", shape: {}, biases: true }));
      expect(decoder.memoryBytes).toBe(used());
      await decoder.logits(await decoder.forward([1, 2, 3]));
      expect(decoder.memoryBytes).toBe(used());
      const encoder = await gpu.backend.openEncoder(smallEncoder());
      await encoder.encode([[1, 2], [3]]);
      expect(decoder.memoryBytes + encoder.memoryBytes).toBe(used());
      decoder.close();
      expect(encoder.memoryBytes).toBe(used());
      encoder.close();
      expect(used()).toBe(0);
    });
  });

  it("has a budget: what is beyond it is refused with numbers, and leaves nothing behind", async () => {
    await withGpu(async ({ parts }) => {
      const used = countBuffers(parts.device);
      const model = oddModel({ name: "", shape: {} });
      const small = (total: number, buffer: number): WebGpuBackend =>
        new WebGpuBackend({ ...parts, budget: { total, buffer } });
      await expect(small(100_000, 100_000).open(model)).rejects.toMatchObject(NO_MEMORY);
      await expect(small(100_000, 100_000).open(model)).rejects.toThrow(/\d+ bytes of 100000/u);
      // A context whose keys do not fit a buffer.
      await expect(small(2 ** 30, 3_000).open(model)).rejects.toMatchObject(NO_MEMORY);
      expect(used()).toBe(0);
    });
  });

  it("a matrix that does not fit a buffer is split, which changes no bit", async () => {
    await withGpu(async ({ parts }) => {
      const model = oddModel({
        name: "",
        shape: { vocabulary: 700, inner: 300, layers: 1 },
        biases: true,
      });
      const backend = new WebGpuBackend({ ...parts, budget: { total: 2 ** 30, buffer: 40_000 } });
      const most = 4 * 70_000;
      const small = new WebGpuBackend({ ...parts, budget: { total: 2 ** 30, buffer: most } });
      await expect(backend.open(model)).rejects.toMatchObject(NO_MEMORY);
      const decoder = await small.open(model);
      const reference = await referenceBackend.open(model);
      const tokens = someTokens(model, 6);
      const found = [await decoder.forward(tokens), await decoder.forward([699])];
      const expected = [await reference.forward(tokens), await reference.forward([699])];
      expect(found).toEqual(expected);
      for (const rows of expected) expect(await decoder.logits(rows)).toEqual(await reference.logits(rows));
    });
  });
});

describe("submits", () => {
  it("of the least work give the same bits", async () => {
    await withGpu(async ({ parts }) => {
      const pace = new Pace();
      const backend = new WebGpuBackend({ ...parts, pace });
      const model = oddModel({ name: "", shape: {} });
      const decoder = await backend.open(model);
      pace.begin(1);
      const tokens = someTokens(model, 5);
      const expected = await (await referenceBackend.open(model)).forward(tokens);
      expect(await decoder.forward(tokens)).toEqual(expected);
      // Workgroups one by one, until the pace has found its way.
      expect(decoder.counts.submits).toBeGreaterThan(10);
      const odd = smallEncoder();
      const encoder = await backend.openEncoder(odd);
      pace.begin(1);
      const texts = someTexts(odd, 3);
      const reference = await referenceEncoderBackend.openEncoder(odd);
      expect(await encoder.encode(texts)).toEqual(await reference.encode(texts));
    });
  });

  it("a position takes at most six dispatches per layer and six more", async () => {
    await withGpu(async ({ backend }) => {
      const model = oddModel({ name: "", shape: { layers: 5 } });
      const decoder = await backend.open(model);
      await decoder.forward([1, 2]);
      const before = decoder.counts.dispatches;
      await decoder.logits(await decoder.forward([3]));
      expect(decoder.counts.dispatches - before).toBeLessThanOrEqual(6 * 5 + 6);
    });
  });

  it("kernels are compiled once for all models", async () => {
    await withGpu(async ({ backend, parts }) => {
      const compiled = parts.kernels.compiled;
      await backend.open(oddModel({ name: "", shape: {} }));
      await backend.open(oddModel({ name: "", shape: { width: 300, inner: 515, layers: 1 } }));
      expect(parts.kernels.compiled).toBe(compiled);
    });
  });
});
