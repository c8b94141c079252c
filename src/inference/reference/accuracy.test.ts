import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { randomLlama, SMALL_SHAPE } from "../model/random-llama.contract.ts";
import { measureAccuracy } from "./accuracy.contract.ts";
import { rowOf } from "./accuracy-rows.contract.ts";

/** Without what the formatter fills columns up with. */
const PAGE = readFileSync(new URL("../../../docs/numerics.md", import.meta.url), "utf8").replaceAll(
  / +\|/gu,
  " |",
);

describe("a layer of 576 and 1,536 random weights, beside the same in floats", () => {
  const shape = {
    ...SMALL_SHAPE,
    width: 576,
    inner: 1_536,
    heads: 9,
    keyHeads: 3,
    headSize: 64,
    layers: 1,
    vocabulary: 512,
    context: 32,
  };
  const text = Array.from({ length: 32 }, (_, i) => (i * 37 + 5) % 512);

  it.each([
    ["random layer, 8 bits", 1, 8],
    ["random layer, 4 bits", 1, 4],
    ["20× outliers, 8 bits", 20, 8],
    ["20× outliers, 4 bits", 20, 4],
  ] as const)("%s: as the page says", (name, outliers, bits) => {
    const found = measureAccuracy(randomLlama(shape, 5, { outliers }), bits, [text]);
    if (bits === 8) expect(found.divergence).toBeLessThan(6e-4);
    if (bits === 8) expect(found.cosine).toBeGreaterThan(0.9995);
    expect(PAGE).toContain(rowOf(name, found, ["–", "–"]));
  });
});
