import { describe, expect, it } from "vitest";
import { quantiseEncoder } from "../convert/float-encoder.ts";
import type { EncoderModel } from "../model/encoder-model.ts";
import { randomEncoder } from "../reference/float-encoder.contract.ts";
import { referenceEncoderBackend } from "../reference/reference-encoder.ts";
import { extreme, type Sign, SIGNS } from "./extremes.contract.ts";
import { createWasmEncoderBackend } from "./wasm-encoder.ts";

/** @param inner what every value between the feed-forward matrices is, but for those whose number `isZero` names */
function extremeEncoder(
  bits: 4 | 8,
  sign: Sign,
  columns: number,
  inner: number,
  isZero: (n: number) => boolean,
): EncoderModel {
  const shape = {
    vocabulary: 5,
    context: 6,
    width: 36,
    layers: [{ input: 36, width: 36, heads: 2, headSize: 18, inner: columns }],
    output: 12,
  };
  const model = quantiseEncoder(randomEncoder(shape, 3), bits);
  return {
    ...model,
    layers: model.layers.map((layer) => ({
      ...layer,
      query: { ...layer.query, matrix: extreme(layer.query.matrix, sign) },
      value: { ...layer.value, matrix: extreme(layer.value.matrix, sign) },
      output: { ...layer.output, matrix: extreme(layer.output.matrix, sign) },
      up: {
        matrix: { ...layer.up.matrix, values: layer.up.matrix.values.fill(0) },
        bias: layer.up.bias.map((_, n) => (isZero(n) ? -inner : inner)),
      },
      down: { ...layer.down, matrix: extreme(layer.down.matrix, sign) },
    })),
    pool: { ...model.pool, matrix: extreme(model.pool.matrix, sign) },
  };
}

describe.each(["baseline", "relaxed"] as const)("the largest sums an encoder may have, %s", (build) => {
  describe.each([4, 8] as const)("%i bits", (bits) => {
    it.each(Object.entries(SIGNS))("%s", async (_, sign) => {
      for (const [columns, inner, isZero] of [
        [2_100, 2 ** 31 - 1, () => false],
        [2_112, 1, () => false],
        [2_100, 1_000_000, (n: number) => n % 3 === 0],
        [70, 5, () => true],
      ] as const) {
        const model = extremeEncoder(bits, sign, columns, inner, isZero);
        const texts = [[0, 1, 2, 3, 4], [4], [3, 3]];
        const reference = await referenceEncoderBackend.openEncoder(model);
        const encoder = await createWasmEncoderBackend({ build }).openEncoder(model);
        expect(await encoder.encode(texts)).toEqual(await reference.encode(texts));
      }
    });
  });
});
