import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { measureAccuracy } from "./accuracy.contract.ts";
import { rowOf, storyTexts } from "./accuracy-rows.contract.ts";
import { HAS_STORIES, NO_STORIES, storiesModel } from "./stories.contract.ts";

/** Without what the formatter fills columns up with. */
const PAGE = readFileSync(new URL("../../../docs/numerics.md", import.meta.url), "utf8").replaceAll(
  / +\|/gu,
  " |",
);

if (!HAS_STORIES) process.stdout.write(`${NO_STORIES}\n`);

describe.skipIf(!HAS_STORIES)("stories260K in integers of four bits, beside the model in floats", () => {
  it("with 4 bits, as the page says", () => {
    expect(PAGE).toContain(rowOf("stories260K, 4 bits", measureAccuracy(storiesModel(), 4, storyTexts())));
  });
});
