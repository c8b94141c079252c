import { describe, expect, it } from "vitest";
import { quantiseLlama } from "../convert/float-llama.ts";
import type { LlamaModel } from "../model/llama-model.ts";
import { GROUP, LARGEST_ROW_SUM, type Matrix } from "../model/matrix.ts";
import { randomLlama, SMALL_SHAPE } from "../model/random-llama.contract.ts";
import { packScale } from "../numerics/scale.ts";
import { referenceBackend } from "../reference/reference-backend.ts";
import { createWasmBackend } from "./wasm-backend.ts";

/** As large as a file may have them: weights of one size, the last group's multipliers as the row's bound leaves room. */
function extreme(matrix: Matrix, sign: (k: number) => number): Matrix {
  const { rows, stride, columns, bits } = matrix;
  const groups = stride / GROUP;
  const values = new Int8Array(matrix.values.length);
  const multipliers = new Uint8Array(rows * groups).fill(
    Math.max(1, Math.min(63, Math.floor(LARGEST_ROW_SUM / 128 / columns))),
  );
  const [least, most] = bits === 8 ? [-128, 127] : [-8, 7];
  for (let n = 0; n < rows; n += 1)
    for (let k = 0; k < columns; k += 1) {
      const weight = sign(n + k) < 0 ? least : most;
      const at = ((n * stride + k) * bits) / 8;
      if (bits === 8) values[at] = weight;
      else values[at | 0]! |= (k & 1) === 0 ? weight & 15 : weight << 4;
    }
  return { ...matrix, values, multipliers };
}

function extremeModel(
  bits: 4 | 8,
  sign: (k: number) => number,
  width: number,
  embedding: number,
): LlamaModel {
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

const SIGNS = {
  "all above zero": () => 1,
  "all below zero": () => -1,
  "by turns": (k: number) => (k % 2 === 0 ? 1 : -1),
  "in fours": (k: number) => (k % 8 < 4 ? 1 : -1),
} as const;

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
