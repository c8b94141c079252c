import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { failureCode } from "../protocol/failure-code.ts";
import { MAX_PROMPT_BYTES } from "../protocol/limits.ts";
import { embedOutputSchema, encodeModelData } from "../protocol/messages/model-task.ts";
import type { ModelManifest } from "../protocol/model-manifest.ts";
import { type Batch, batchesOf, isUnit, readVectors } from "./embed-watch.ts";

const MANIFEST: ModelManifest = {
  v: 1,
  entry: "embed",
  name: "test",
  licence: "CC0-1.0",
  size: 1,
  memory: 1,
  context: 128,
  dimensions: 3,
  chunks: new Uint8Array(32),
};
const BATCH: Batch = { first: 0, texts: ["one", "two"] };
const UNIT = [18_919, -18_919, 18_919];

function outputOf(
  vectors: readonly (readonly number[])[],
  tokens: readonly number[],
  dimensions = 3,
): Uint8Array {
  const values = Int16Array.from(vectors.flat());
  return encodeModelData(embedOutputSchema, { dimensions, vectors: new Uint8Array(values.buffer), tokens });
}

const isNonsense = expect.objectContaining({ code: failureCode("content-mismatch") });

describe("texts in tasks", () => {
  it("are all there, in their order, and no task has more than its share", () => {
    const texts = fc.array(
      fc.string({ minLength: 1 }).filter((text) => text.trim() !== ""),
      { maxLength: 200 },
    );
    fc.assert(
      fc.property(texts, fc.integer({ min: 1, max: 8 }), (all, providers) => {
        const batches = batchesOf(all, providers);
        expect(batches.flatMap((batch) => batch.texts)).toEqual(all);
        for (const { first, texts: some } of batches) {
          expect(all[first]).toBe(some[0]);
          expect(some.length).toBeLessThanOrEqual(Math.max(1, Math.ceil(all.length / (2 * providers))));
        }
      }),
    );
  });

  it("that are long go alone, and those that nobody could embed are refused by their number", () => {
    const long = "word ".repeat(20_000);
    expect(batchesOf(["a", long, "b"], 1).map(({ texts }) => texts.length)).toEqual([1, 1, 1]);
    expect(() => batchesOf(["a", " \n"], 1)).toThrow("text 1 is empty");
    expect(() => batchesOf(["x".repeat(MAX_PROMPT_BYTES + 1)], 1)).toThrow("text 0 has");
  });
});

describe("vectors from a provider", () => {
  it("are read as they are", () => {
    expect(readVectors(MANIFEST, BATCH, outputOf([UNIT, [32_767, 0, 0]], [4, 128]))).toEqual({
      vectors: [Int16Array.from(UNIT), Int16Array.from([32_767, 0, 0])],
      tokens: [4, 128],
    });
  });

  it.each([
    ["bytes that are none", Uint8Array.of(0xff)],
    ["fewer than there are texts", outputOf([UNIT], [4])],
    ["another number of values", outputOf([[32_767, 0]], [4], 2)],
    ["more tokens than the model takes in", outputOf([UNIT, UNIT], [4, 129])],
    ["no tokens", outputOf([UNIT, UNIT], [4, 0])],
    ["a vector of nothing", outputOf([UNIT, [0, 0, 0]], [4, 4])],
    ["a vector too long", outputOf([UNIT, [32_767, 32_767, 0]], [4, 4])],
  ])("%s: are refused", (_, output) => {
    expect(() => readVectors(MANIFEST, BATCH, output)).toThrow(isNonsense);
  });

  it("have the length 1 where rounding alone has moved them", () => {
    const values = fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 1, maxLength: 600 });
    fc.assert(
      fc.property(values, (row) => {
        const length = Math.hypot(...row);
        fc.pre(length > 1e-6);
        const rounded = row.map((value) => Math.min(32_767, Math.round((value / length) * 32_768)));
        expect(isUnit(Int16Array.from(rounded))).toBe(true);
        expect(isUnit(Int16Array.from(rounded, (value) => value >> 1))).toBe(false);
      }),
    );
  });
});
