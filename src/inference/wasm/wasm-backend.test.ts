import { createHash } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { quantiseLlama } from "../convert/float-llama.ts";
import { HAS_STORIES, NO_STORIES, storiesModel } from "../reference/stories.contract.ts";
import { referenceBackend } from "../reference/reference-backend.ts";
import type { Decoder } from "../backend.ts";
import { describeBits, oddModel, someTokens } from "../backend.contract.ts";
import type { KernelBuild } from "./kernels.ts";
import { createWasmBackend } from "./wasm-backend.ts";

const BUILDS: readonly KernelBuild[] = ["baseline", "relaxed"];

for (const build of BUILDS) describeBits(`WebAssembly, ${build}`, createWasmBackend({ build }));

function largestAt(values: Int32Array): number {
  let best = 0;
  for (const [at, value] of values.entries()) if (value > values[best]!) best = at;
  return best;
}

describe("room for fewer positions than the context", () => {
  it("is the context, takes less memory and changes no bit", async () => {
    const model = oddModel({ name: "", shape: { context: 2_000 } });
    const whole = await createWasmBackend().open(model);
    const part = await createWasmBackend({ mostPositions: 9 }).open(model);
    expect(part.model.shape.context).toBe(9);
    expect(part.memoryBytes).toBeLessThan(whole.memoryBytes - 2 * 1_991 * 2 * 2 * 2 * 10);
    const tokens = someTokens(model, 9);
    expect(await part.forward(tokens)).toEqual(await whole.forward(tokens));
    await expect(part.forward([0])).rejects.toThrow("9 positions");
  });
});

/** A decoder, and weights that only the model held. */
async function openedAlone(): Promise<readonly [Decoder, WeakRef<object>]> {
  const model = oddModel({ name: "", shape: {} });
  return [await createWasmBackend().open(model), new WeakRef(model.head.values)];
}

it("an open model holds on to nothing of what it was made from", async () => {
  setFlagsFromString("--expose-gc");
  const collect: unknown = runInNewContext("gc");
  const [decoder, weights] = await openedAlone();
  await setTimeout(1);
  if (typeof collect === "function") collect();
  expect(weights.deref()).toBeUndefined();
  expect((await decoder.forward([1])).length).toBe(decoder.model.shape.width);
});

if (!HAS_STORIES) process.stdout.write(`${NO_STORIES}\n`);

describe.skipIf(!HAS_STORIES)("a real model on WebAssembly", () => {
  it.each(BUILDS)("writes its makers' story with the reference's bits: %s", async (build) => {
    const decoder = await createWasmBackend({ build }).open(quantiseLlama(storiesModel(), 8));
    const hash = createHash("sha256");
    let token = 1;
    for (let step = 0; step < STORY_TOKENS; step += 1) {
      const x = await decoder.forward([token]);
      const logits = await decoder.logits(x);
      hash.update(new Uint8Array(x.buffer)).update(new Uint8Array(logits.buffer));
      token = largestAt(logits);
    }
    expect(hash.digest("hex")).toBe(STORY_HASH);
  });

  it.each(BUILDS)("has the reference's bits over a whole context, 4 bits: %s", async (build) => {
    const model = quantiseLlama(storiesModel(), 4);
    const tokens = Array.from({ length: 300 }, (_, i) => (i * 31 + 1) % 512);
    const reference = await referenceBackend.open(model);
    const decoder = await createWasmBackend({ build }).open(model);
    const expected = await reference.forward(tokens);
    const found = await decoder.forward(tokens);
    expect(found).toEqual(expected);
    expect(await decoder.logits(found)).toEqual(await reference.logits(expected));
  });
});

/** Of reference/llama.test.ts. */
const STORY_HASH = "5b1b93461ce5a9989d6c76ecf742a4b2575da2e48775407f8d3b3b9dcf847819";
/** Tokens until the story's documented part has been written there. */
const STORY_TOKENS = 131;
