import { beforeAll, describe, expect, it } from "vitest";
import { quantiseLlama } from "../convert/float-llama.ts";
import type { LlamaShape } from "../model/llama-model.ts";
import { randomLlama, SMALL_SHAPE } from "../model/random-llama.contract.ts";
import { ReferenceLlama } from "../reference/llama.ts";
import { WebGpuBackend } from "./webgpu-backend.ts";

let device: GPUDevice;
beforeAll(async () => {
  const adapter = await navigator.gpu.requestAdapter();
  if (adapter === null) throw new Error("no WebGPU adapter");
  device = await adapter.requestDevice();
});

const SHAPES: readonly (readonly [string, LlamaShape, 4 | 8, boolean])[] = [
  ["8 bits, halves", SMALL_SHAPE, 8, false],
  ["8 bits, neighbours, biases", { ...SMALL_SHAPE, rotation: "neighbours", heads: 3, keyHeads: 1 }, 8, true],
  ["4 bits, odd sizes", { ...SMALL_SHAPE, width: 33, inner: 95, headSize: 6, vocabulary: 131 }, 4, true],
  ["a head of 64", { ...SMALL_SHAPE, width: 128, heads: 2, keyHeads: 2, headSize: 64, layers: 1 }, 8, false],
];

describe("WebGPU", () => {
  for (const [name, shape, bits, biases] of SHAPES)
    it(`gives the bits of the reference: ${name}`, async () => {
      const model = quantiseLlama(randomLlama(shape, 17, { biases, outliers: 20 }), bits);
      const tokens = Array.from({ length: shape.context }, (_, i) => (i * 7 + 3) % shape.vocabulary);
      const reference = new ReferenceLlama(model);
      const states = tokens.map((token) => reference.step(token));
      const decoder = await new WebGpuBackend(device).open(model);
      let at = 0;
      for (const count of [1, 5, 1, 17]) {
        const hidden = await decoder.forward(tokens.slice(at, at + count));
        for (let i = 0; i < count; i += 1)
          expect(hidden.subarray(i * shape.width, (i + 1) * shape.width), `position ${at + i}`).toEqual(
            states[at + i],
          );
        at += count;
      }
      expect(at).toBe(shape.context);
      const logits = await decoder.logits(states[at - 1]!);
      expect(logits).toEqual(reference.logits(states[at - 1]!));
      decoder.close();
    });
});
