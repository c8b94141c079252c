import { describe, expect, it } from "vitest";
import { quantiseLlama } from "../convert/float-llama.ts";
import type { LlamaModel } from "../model/llama-model.ts";
import { randomLlama, SMALL_SHAPE } from "../model/random-llama.contract.ts";
import { packScale } from "../numerics/scale.ts";
import { referenceBackend } from "../reference/reference-backend.ts";
import { extreme, type Sign, SIGNS } from "./extremes.contract.ts";
import { createWasmBackend } from "./wasm-backend.ts";

function extremeModel(bits: 4 | 8, sign: Sign, width: number, embedding: number): LlamaModel {
  const model = quantiseLlama(randomLlama({ ...SMALL_SHAPE, width, layers: 1 }, 3), bits);
  const { embeddings } = model;
  return {
    ...model,
    // Values of one size: quantised, all of them are 8,191 or -8,191.
    embeddings: {
      ...embeddings,
      values: embeddings.values.map((_, i) => sign(i) * embedding),
      scales: embeddings.scales.fill(packScale(0xffff, -22)),
    },
    layers: model.layers.map((layer) => ({
      ...layer,
      attentionNorm: { values: layer.attentionNorm.values.fill(32_767), fraction: 0 },
      query: extreme(layer.query, sign),
      key: extreme(layer.key, sign),
      value: extreme(layer.value, sign),
      output: extreme(layer.output, sign),
      gate: extreme(layer.gate, sign),
      up: extreme(layer.up, sign),
      down: extreme(layer.down, sign),
    })),
    finalNorm: { values: model.finalNorm.values.fill(32_767), fraction: 15 },
    head: extreme(model.head, sign),
  };
}

describe.each(["baseline", "relaxed"] as const)("the largest sums a model may have, %s", (build) => {
  describe.each([4, 8] as const)("%i bits", (bits) => {
    it.each(Object.entries(SIGNS))("%s", async (_, sign) => {
      for (const [width, embedding] of [
        [48, 32_767],
        [2_100, 32_767],
        [2_112, 1],
      ] as const) {
        const model = extremeModel(bits, sign, width, embedding);
        const reference = await referenceBackend.open(model);
        const decoder = await createWasmBackend({ build }).open(model);
        const tokens = [0, 1, 2, 3, 4];
        const expected = await reference.forward(tokens);
        expect(await decoder.forward(tokens)).toEqual(expected);
        // Rows of one size in the order of the weights' signs, so that all products are of one sign.
        const rows = Int32Array.from({ length: 5 * width }, (__, i) => sign(i % width) * 1_000_000);
        const scores = await reference.logits(rows);
        expect(await decoder.logits(rows)).toEqual(scores);
        expect(scores.every((score) => score === 0)).toBe(false);
      }
    });
  });
});
