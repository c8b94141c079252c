import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { oddModel, ODD_SHAPES, someTokens } from "../backend.contract.ts";
import { quantiseLlama } from "../convert/float-llama.ts";
import { quantiseMatrix } from "../convert/quantise-weights.ts";
import type { LlamaModel } from "../model/llama-model.ts";
import { GROUP, type Matrix } from "../model/matrix.ts";
import { randomLlama, SMALL_SHAPE } from "../model/random-llama.contract.ts";
import { exponentOf, mantissaOf, packScale } from "../numerics/scale.ts";
import { referenceBackend } from "../reference/reference-backend.ts";
import { createWasmBackend } from "./wasm-backend.ts";

/** The first of the largest in each row. */
function largestOf(scores: Int32Array, vocabulary: number): number[] {
  return Array.from({ length: scores.length / vocabulary }, (_, row) => {
    const part = scores.subarray(row * vocabulary, (row + 1) * vocabulary);
    return part.indexOf(part.reduce((most, score) => Math.max(most, score)));
  });
}

function withHead(model: LlamaModel, head: Partial<Matrix>): LlamaModel {
  return { ...model, head: { ...model.head, ...head } };
}

function evenBelow(row: number): number {
  return row - (row % 2);
}

/** Each row of the head twice, so that all scores are there twice. */
function twins(model: LlamaModel): LlamaModel {
  const { stride, bits, values, multipliers, scales } = model.head;
  const rowBytes = (stride * bits) / 8;
  const groups = stride / GROUP;
  return withHead(model, {
    values: values.map((_, at) => values[evenBelow(Math.floor(at / rowBytes)) * rowBytes + (at % rowBytes)]!),
    multipliers: multipliers.map(
      (_, at) => multipliers[evenBelow(Math.floor(at / groups)) * groups + (at % groups)]!,
    ),
    scales: scales.map((_, row) => scales[evenBelow(row)]!),
  });
}

describe.each(["baseline", "relaxed"] as const)("the likeliest token, %s", (build) => {
  const expectSame = async (model: LlamaModel, hidden: Int32Array): Promise<void> => {
    const { vocabulary, width } = model.shape;
    const decoder = await createWasmBackend({ build }).open(model);
    const reference = await referenceBackend.open(model);
    const expected = largestOf(await reference.logits(hidden), vocabulary);
    const none = Array.from({ length: hidden.length / width }, () => -1);
    for (const guesses of [
      [],
      none,
      none.map(() => Math.min(3, vocabulary - 1)),
      expected,
      expected.map((token) => (token * 7 + 3) % vocabulary),
    ])
      expect(Array.from((await decoder.likeliest?.(hidden, guesses)) ?? [])).toEqual(expected);
  };

  it.each(ODD_SHAPES)("is the first of the largest scores: $name", async (odd) => {
    const model = oddModel(odd);
    const decoder = await referenceBackend.open(model);
    await expectSame(model, await decoder.forward(someTokens(model)));
  });

  it("is the lower of two with the same weights", async () => {
    const model = twins(oddModel({ name: "", shape: { vocabulary: 70, context: 30 } }));
    const decoder = await referenceBackend.open(model);
    await expectSame(model, await decoder.forward(someTokens(model)));
  });

  it("where only the last bits of the activations tell the best from the next", async () => {
    const model = oddModel({ name: "", shape: { vocabulary: 40, layers: 1 } });
    const { stride, columns, rows } = model.head;
    const values = new Int8Array(rows * stride);
    // All activations are 8,191. The next best is closer than the upper plane, 8,064, with half of the lower one.
    for (const row of [3, 20]) values.fill(127, row * stride, row * stride + columns);
    values[3 * stride] = 120;
    const head = {
      values,
      multipliers: model.head.multipliers.map(() => 63),
      scales: model.head.scales.map(() => packScale(0x8000, -30)),
    };
    const even = { values: model.finalNorm.values.map(() => 16_384), fraction: 14 };
    const hidden = new Int32Array(7 * model.shape.width).fill(1_000_000);
    const decoder = await referenceBackend.open({ ...withHead(model, head), finalNorm: even });
    const scores = await decoder.logits(hidden);
    expect(scores[20]).toBeGreaterThan(scores[3]!);
    expect(scores[3]).toBeGreaterThan((scores[20]! * 8_128) / 8_191);
    await expectSame({ ...withHead(model, head), finalNorm: even }, hidden);
  });

  it("of a head of 4 bits", async () => {
    const source = randomLlama({ ...SMALL_SHAPE, vocabulary: 70, context: 30 }, 11);
    const model = quantiseLlama(source, 4);
    const head = quantiseMatrix(source.head ?? source.embeddings, 70, SMALL_SHAPE.width, 4);
    const decoder = await referenceBackend.open(model);
    await expectSame({ ...model, head }, await decoder.forward(someTokens(model)));
  });

  it.each([-60, -20, -3, 0, 4, 9, 12])("whatever its scale, here times 2^%i", async (power) => {
    const model = oddModel({ name: "", shape: { vocabulary: 70, context: 30 } });
    const decoder = await referenceBackend.open(model);
    const scales = model.head.scales.map((scale) => packScale(mantissaOf(scale), exponentOf(scale) + power));
    await expectSame(withHead(model, { scales }), await decoder.forward(someTokens(model)));
  });

  it("of rows of any numbers", async () => {
    const model = oddModel({ name: "", shape: { vocabulary: 203, width: 96 } });
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.array(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), { minLength: 96, maxLength: 96 }),
          {
            minLength: 1,
            maxLength: 15,
          },
        ),
        (rows) => expectSame(model, Int32Array.from(rows.flat())),
      ),
      { numRuns: 20 },
    );
  });
});
