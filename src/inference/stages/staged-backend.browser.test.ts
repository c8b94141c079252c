import { describe, expect, it } from "vitest";
import { failureCode } from "../../protocol/failure-code.ts";
import { describeBits, oddModel, someTokens } from "../backend.contract.ts";
import type { LlamaModel } from "../model/llama-model.ts";
import { type Line, lineToWorker } from "./line.ts";
import { createStagedBackend } from "./staged-backend.ts";

function startWorker(): Worker {
  return new Worker(new URL("../../../workers/inference-stage.worker.ts", import.meta.url), {
    type: "module",
  });
}

const start = (): Line => lineToWorker(startWorker());

for (const stages of [2, 3])
  for (const build of ["baseline", "relaxed"] as const)
    describeBits(
      `${stages} stages in threads of a browser, ${build}`,
      createStagedBackend({ stages, build, rows: 7, start }),
    );

const DEEP: LlamaModel = oddModel({ name: "", shape: { layers: 3, context: 60 } });

describe("a stage in a thread of a browser", () => {
  it("that fails fails what is under way and all that follows", async () => {
    const workers: Worker[] = [];
    const backend = createStagedBackend({
      stages: 3,
      start() {
        const worker = startWorker();
        workers.push(worker);
        return lineToWorker(worker);
      },
    });
    const decoder = await backend.open(DEEP);
    const under = decoder.forward(someTokens(DEEP, 30));
    // What no stage is sent is thrown there, where nobody catches it.
    workers[1]?.postMessage("nonsense");
    await expect(under.then(() => decoder.forward([0]))).rejects.toMatchObject({
      code: failureCode("worker-lost"),
    });
  });

  it("that cannot be started fails the opening", async () => {
    const backend = createStagedBackend({
      stages: 2,
      start: () => lineToWorker(new Worker("/no-such-script.js")),
    });
    await expect(backend.open(DEEP)).rejects.toMatchObject({ code: failureCode("worker-lost") });
  });
});
