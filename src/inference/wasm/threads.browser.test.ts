import { expect, it } from "vitest";
import { referenceBackend } from "../reference/reference-backend.ts";
import type { ThreadedBits } from "./browser-threads.contract.ts";
import { ODD_SHAPES, oddModel, someTokens } from "./decoder.contract.ts";

async function threadedBits(): Promise<ThreadedBits> {
  const worker = new Worker(new URL("browser-threads.contract.ts", import.meta.url), { type: "module" });
  const answered = Promise.withResolvers<ThreadedBits>();
  worker.addEventListener("message", ({ data }: MessageEvent<ThreadedBits>) => answered.resolve(data));
  worker.addEventListener("error", ({ message }) => answered.reject(new Error(message)));
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  worker.postMessage("compute");
  try {
    return await answered.promise;
  } finally {
    worker.terminate();
  }
}

it("three threads of a tab have the bits of the reference", async () => {
  const { isShared, hidden, logits } = await threadedBits();
  expect(isShared).toBe(true);
  for (const [i, odd] of ODD_SHAPES.entries()) {
    const model = oddModel(odd);
    // oxlint-disable-next-line no-await-in-loop -- in the order of the shapes
    const reference = await referenceBackend.open(model);
    // oxlint-disable-next-line no-await-in-loop
    const expected = await reference.forward(someTokens(model));
    expect(hidden[i]).toEqual(expected);
    // oxlint-disable-next-line no-await-in-loop
    expect(logits[i]).toEqual(await reference.logits(expected));
  }
});
