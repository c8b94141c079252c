import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Cid, cidOf, RAW } from "../protocol/cid.ts";
import type { StoredModel } from "../storage/model-store.ts";
import { modelsToRemove } from "./model-room.ts";

const CAP = 1_000;

function named(index: number): Cid {
  return cidOf(RAW, Uint8Array.of(index));
}

function stored(sizes: readonly number[]): readonly StoredModel[] {
  return sizes.map((size, index) => ({
    cid: named(index),
    manifest: {
      v: 1,
      entry: "generate",
      name: "",
      licence: "",
      size,
      memory: size,
      context: 1,
      dimensions: 0,
      chunks: new Uint8Array(32),
    },
    bytes: 0,
    complete: false,
    usedAt: index,
  }));
}

describe("room for models of strangers", () => {
  it("is made by those used longest ago, and no more of them than it takes", () => {
    const models = stored([400, 300, 200]);
    expect(modelsToRemove(models, { cid: named(9), bytes: 100 }, new Set(), CAP)).toEqual([]);
    expect(modelsToRemove(models, { cid: named(9), bytes: 101 }, new Set(), CAP)).toEqual([named(0)]);
    expect(modelsToRemove(models, { cid: named(9), bytes: 600 }, new Set(), CAP)).toEqual([
      named(0),
      named(1),
    ]);
    // What is there already, whole or in part, takes its own room.
    expect(modelsToRemove(models, { cid: named(2), bytes: 200 }, new Set(), CAP)).toEqual([]);
  });

  it("is never made by what is being fetched", () => {
    const models = stored([400, 300, 200]);
    expect(modelsToRemove(models, { cid: named(9), bytes: 101 }, new Set([named(0)]), CAP)).toEqual([
      named(1),
    ]);
    expect(() => modelsToRemove(models, { cid: named(9), bytes: 700 }, new Set([named(0)]), CAP)).toThrow(
      "models may take 1000 bytes here",
    );
  });

  it("is never exceeded, whatever strangers ask for", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: CAP }), { maxLength: 60 }), (sizes) => {
        let models: readonly StoredModel[] = [];
        for (const [index, size] of sizes.entries()) {
          const going = modelsToRemove(models, { cid: named(index), bytes: size }, new Set(), CAP);
          const [one] = stored([size]);
          if (one === undefined) return;
          models = [
            ...models.filter(({ cid }) => !going.includes(cid)),
            { ...one, cid: named(index), usedAt: index },
          ];
          expect(models.reduce((sum, { manifest }) => sum + manifest.size, 0)).toBeLessThanOrEqual(CAP);
        }
      }),
    );
  });
});
