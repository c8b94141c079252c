import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { oddModel } from "../backend.contract.ts";
import { balancedCuts, cutModel, layerWork } from "./llama-part.ts";
import { SMALL_SHAPE } from "./random-llama.contract.ts";

describe("cuts of a model", () => {
  it("of equal layers are equal where the head is small, and leave it the last part where it is large", () => {
    const shape = { ...SMALL_SHAPE, layers: 12, vocabulary: 1 };
    expect(balancedCuts(shape, 1)).toEqual([]);
    expect(balancedCuts(shape, 2)).toEqual([6]);
    expect(balancedCuts(shape, 4)).toEqual([3, 6, 9]);
    expect(balancedCuts({ ...shape, vocabulary: 1_000_000 }, 3)).toEqual([6, 12]);
    // SmolLM2-135M: half the head's multiply-adds are those of four layers.
    const smol = { ...shape, width: 576, inner: 1_536, layers: 30, heads: 9, keyHeads: 3, headSize: 64 };
    expect(balancedCuts({ ...smol, vocabulary: 49_152 }, 2)).toEqual([17]);
  });

  it("leave no part with more than any other cut would", () => {
    const parameters = fc.record({
      layers: fc.integer({ min: 1, max: 9 }),
      parts: fc.integer({ min: 1, max: 4 }),
      vocabulary: fc.integer({ min: 1, max: 3_000 }),
    });
    fc.assert(
      fc.property(parameters, ({ layers, parts, vocabulary }) => {
        const shape = { ...SMALL_SHAPE, layers, vocabulary };
        const head = (0.5 * shape.width * vocabulary) / layerWork(shape);
        const largest = (cuts: readonly number[]): number => {
          const ends = [...cuts, layers];
          return Math.max(...ends.map((end, i) => end - (ends[i - 1] ?? 0) + (i === cuts.length ? head : 0)));
        };
        const all = (count: number, from: number): number[][] =>
          count === 0
            ? [[]]
            : Array.from({ length: layers - from + 1 }, (_, i) => from + i).flatMap((cut) =>
                all(count - 1, cut).map((rest) => [cut].concat(rest)),
              );
        const found = balancedCuts(shape, parts);
        expect(found).toEqual(found.toSorted((a, b) => a - b));
        expect(largest(found)).toBe(Math.min(...all(parts - 1, 0).map(largest)));
      }),
    );
  });

  it("put every layer into one part, the embeddings into the first and the head into the last", () => {
    const model = oddModel({ name: "", shape: { layers: 4 } });
    const parts = cutModel(model, [0, 3, 3]);
    expect(parts.map(({ layers }) => layers.length)).toEqual([0, 3, 0, 1]);
    expect(parts.flatMap(({ layers }) => layers)).toEqual(model.layers);
    expect(parts.map((part) => "embeddings" in part)).toEqual([true, false, false, false]);
    expect(parts.map((part) => "head" in part && "finalNorm" in part)).toEqual([false, false, false, true]);
  });
});
