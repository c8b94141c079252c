import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
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

  it("with 4 bits, as the page says", () => {
    expect(PAGE).toContain(rowOf("stories260K, 4 bits", measureAccuracy(storiesModel(), 4, storyTexts())));
  });
});
