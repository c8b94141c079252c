import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { randomLlama, SMALL_SHAPE } from "../model/random-llama.contract.ts";
import { measureAccuracy } from "./accuracy.contract.ts";
import { rowOf, STORY_POSITIONS, storyTexts } from "./accuracy-rows.contract.ts";
import { HAS_STORIES, NO_STORIES, storiesModel } from "./stories.contract.ts";

/** Without what the formatter fills columns up with. */
const PAGE = readFileSync(new URL("../../../docs/numerics.md", import.meta.url), "utf8").replaceAll(
  / +\|/gu,
  " |",
);

if (!HAS_STORIES) process.stdout.write(`${NO_STORIES}\n`);

describe.skipIf(!HAS_STORIES)("stories260K in integers, beside the model in floats", () => {
  it("with 8 bits: perplexity within 0.2 %, KL per token at most 6e-4, as the page says", () => {
    const found = measureAccuracy(storiesModel(), 8, storyTexts());
    expect(found.positions).toBe(STORY_POSITIONS);
    expect(Math.abs(found.perplexity / found.floatPerplexity - 1)).toBeLessThan(0.002);
    expect(found.divergence).toBeLessThan(6e-4);
    expect(PAGE).toContain(rowOf("stories260K, 8 bits", found));
  });
});

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
