import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { generateInput, type TestModel, writerModel } from "../inference/host/models.contract.ts";
import { failureCode } from "../protocol/failure-code.ts";
import { type ModelManifest, manifestCid } from "../protocol/model-manifest.ts";
import { modelThreadHere } from "./model-thread.contract.ts";
import { Models } from "./models.ts";
import type { ModelResult } from "./session-ports.ts";

const honest = await writerModel({ shape: { context: 3_000 } });

let models: Models;
beforeEach(() => {
  models = new Models({
    startThread: () => modelThreadHere(),
    gpu: false,
    now: () => 0,
    onChange: () => undefined,
  });
});
afterEach(() => models.close());

/** A manifest that nobody published: its requester has made it. */
function lying(changes: Partial<ModelManifest>): TestModel {
  const manifest = { ...honest.manifest, ...changes };
  return { ...honest, manifest, cid: manifestCid(manifest) };
}

function run({ manifest, cid, file }: TestModel): Promise<ModelResult> {
  return models.load(manifest, cid, file).run({
    input: generateInput({ maxTokens: 3 }),
    fuelLimit: 10n ** 12n,
    outputBytes: 2 ** 20,
    deadlineMs: 30_000,
    signal: new AbortController().signal,
    onStart: () => undefined,
    onPart: () => Promise.resolve(),
  });
}

describe("a model whose manifest lies", () => {
  it.each([
    ["its file", honest.manifest.size - 1],
    ["its file with all keys and values", honest.manifest.memory - 1],
  ])("is not opened where it asks for less memory than %s takes", async (_, memory) => {
    expect(await run(lying({ memory }))).toMatchObject({
      kind: "failed",
      code: failureCode("out-of-memory"),
    });
    expect(models.view().open).toBeUndefined();
  });

  it("is opened where it says what the file's header says", async () => {
    expect(await run(honest)).toMatchObject({ kind: "done" });
    expect(models.view().open?.memoryBytes).toBeLessThanOrEqual(honest.manifest.memory);
  });
});
