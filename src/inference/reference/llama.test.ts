import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { quantiseLlama } from "../convert/float-llama.ts";
import { ReferenceLlama } from "./llama.ts";
import { HAS_STORIES, NO_STORIES, storiesModel, storiesVocabulary } from "./stories.contract.ts";

/** What the checkpoint's makers print for it, greedily. */
const STORY = ` Once upon a time, there was a little girl named Lily. She loved to play outside in the park. One day, she saw a big, red ball. She wanted to play with it, but it was too high.
Lily's mom said, "Lily, let's go to the park." Lily was sad and didn't know what to do. She said, "I want to play with your ball, but I can't find it."`;

const BEGIN = 1;

function largestAt(values: Int32Array): number {
  let best = 0;
  for (const [at, value] of values.entries()) if (value > values[best]!) best = at;
  return best;
}

if (!HAS_STORIES) process.stdout.write(`${NO_STORIES}\n`);

describe.skipIf(!HAS_STORIES)("the integer forward pass of a real model", () => {
  it("writes the story that its makers document, and always the same bits", () => {
    const model = quantiseLlama(storiesModel(), 8);
    const reference = new ReferenceLlama(model);
    const hash = createHash("sha256");
    const vocabulary = storiesVocabulary();
    let token = BEGIN;
    let text = "";
    while (text.length < STORY.length) {
      const x = reference.step(token);
      const logits = reference.logits(x);
      hash.update(new Uint8Array(x.buffer)).update(new Uint8Array(logits.buffer));
      token = largestAt(logits);
      text += vocabulary[token]!;
    }
    expect(text.slice(0, STORY.length)).toBe(STORY);
    expect(hash.digest("hex")).toBe("5b1b93461ce5a9989d6c76ecf742a4b2575da2e48775407f8d3b3b9dcf847819");
  });
});
