import { afterEach, describe, expect, test } from "vitest";
// oxlint-disable-next-line import/default -- made by the bundler
import script from "../../workers/inference.worker.ts?worker&url";
import {
  generateInput,
  putTogether,
  type TestModel,
  writerModel,
} from "../inference/host/models.contract.ts";
import { createModelHost } from "../inference/host/create-model-host.ts";
import { failureCode } from "../protocol/failure-code.ts";
import { Models } from "./models.ts";
import { type ModelThread, startModelThread } from "./model-thread.ts";
import type { ModelPart, ModelResult, ModelTask } from "./session-ports.ts";

const writer = await writerModel();
const threads: ModelThread[] = [];
const made: Models[] = [];
afterEach(() => {
  for (const models of made.splice(0)) models.close();
  threads.length = 0;
});

function start(gpu = false): Models {
  const models = new Models({
    startThread: () => {
      const thread = startModelThread(script);
      threads.push(thread);
      return thread;
    },
    gpu,
    now: () => performance.now(),
    onChange: () => undefined,
  });
  made.push(models);
  return models;
}

function run(models: Models, model: TestModel, changes: Partial<ModelTask> = {}): Promise<ModelResult> {
  return models.load(model.manifest, model.cid, model.file).run({
    input: generateInput({ maxTokens: 80, temperatureMilli: 900 }),
    fuelLimit: 10n ** 12n,
    outputBytes: 2 ** 20,
    deadlineMs: 60_000,
    signal: new AbortController().signal,
    onStart: () => undefined,
    onPart: () => Promise.resolve(),
    ...changes,
  });
}

describe("a worker of models", () => {
  test("writes the text that this thread writes, part by part, with the same hashes", async () => {
    const parts: ModelPart[] = [];
    const models = start();
    const result = await run(models, writer, {
      onPart: (part) => Promise.resolve(void parts.push(part)),
    });
    if (result.kind !== "done") throw new Error(result.detail);
    const there = putTogether([...parts, result.part]);
    const host = createModelHost();
    await host.open(writer.cid, writer.file, { backend: "wasm" }, () => undefined);
    const outputs: { output: Uint8Array }[] = [];
    const task = {
      entry: "generate",
      input: generateInput({ maxTokens: 80, temperatureMilli: 900 }),
      fuelLimit: 10n ** 12n,
      outputBytes: 2 ** 20,
    };
    const here = await host.run(task, (part) => Promise.resolve(void outputs.push(part)));
    if (here.kind !== "done") throw new Error(here.detail);
    const { tokens, text, links } = putTogether([...outputs, here.part]);
    expect({ tokens: there.tokens, text: there.text, links: there.links }).toEqual({ tokens, text, links });
    expect(parts.length).toBeGreaterThan(0);
    expect(models.view().open).toMatchObject({ backend: "wasm" });
  });

  test("is ended when a chat template takes too long, by the task's deadline, and another one starts", async () => {
    // It ends by itself when it has done what a template may do, which takes a second or two.
    const endless = await writerModel({
      chatTemplate: "{% for a in range(60000) %}{% for b in range(60000) %}{% endfor %}{% endfor %}",
    });
    const models = start();
    const input = generateInput({ messages: [{ role: "user", content: "a" }] });
    const late = await run(models, endless, { input, deadlineMs: 100 });
    expect(late).toMatchObject({ kind: "failed", code: failureCode("deadline") });
    expect((await run(models, writer)).kind).toBe("done");
    expect(threads).toHaveLength(2);
  });

  test("gives a task back while a long prompt is taken in, and keeps the model open", async () => {
    const shape = { context: 20_000, width: 192, inner: 512, layers: 4, heads: 6, keyHeads: 6, headSize: 32 };
    const long = await writerModel({ shape });
    const models = start();
    expect((await run(models, long, { input: generateInput({ maxTokens: 1 }) })).kind).toBe("done");
    const started = Promise.withResolvers<void>();
    const unwanted = new AbortController();
    let parts = 0;
    const running = run(models, long, {
      signal: unwanted.signal,
      input: generateInput({ text: "\u0001".repeat(15_000), maxTokens: 1 }),
      onStart: () => started.resolve(),
      onPart: () => Promise.resolve(void (parts += 1)),
    });
    await started.promise;
    await new Promise((resolve) => setTimeout(resolve, 200));
    unwanted.abort();
    expect(await running).toMatchObject({ kind: "failed", code: failureCode("cancelled") });
    expect((await run(models, long, { input: generateInput({ maxTokens: 1 }) })).kind).toBe("done");
    expect(parts).toBe(0);
  });

  test("tells that its script is not there", async () => {
    const models = new Models({
      startThread: () => startModelThread("/no-such-script.js"),
      gpu: false,
      now: () => 0,
      onChange: () => undefined,
    });
    made.push(models);
    expect(await run(models, writer)).toMatchObject({ kind: "failed", code: failureCode("worker-lost") });
  });
});
