import { afterEach, describe, expect, it } from "vitest";
import {
  encoderModel,
  generateInput,
  putTogether,
  type TestModel,
  writerModel,
} from "../inference/host/models.contract.ts";
import type { Cid } from "../protocol/cid.ts";
import { failureCode, type FailureName } from "../protocol/failure-code.ts";
import {
  decodeModelData,
  embedInputSchema,
  embedOutputSchema,
  encodeModelData,
} from "../protocol/messages/model-task.ts";
import { MODEL_TURN_MS } from "./limits.ts";
import { nextTask } from "./model-queue.ts";
import { modelThreadHere } from "./model-thread.contract.ts";
import { Models } from "./models.ts";
import type { ModelPart, ModelResult, ModelTask } from "./session-ports.ts";

const writer = await writerModel();
const other = await writerModel({ seed: 5 });

interface Held {
  readonly models: Models;
  readonly opened: string[];
  clock: number;
}

const made: Models[] = [];
afterEach(() => {
  for (const models of made.splice(0)) models.close();
});

function start(): Held {
  const opened: string[] = [];
  const time = { clock: 0 };
  const models = new Models({
    startThread: () => modelThreadHere(opened),
    gpu: false,
    now: () => time.clock,
    onChange: () => undefined,
  });
  const held: Held = Object.assign(time, { opened, models });
  made.push(held.models);
  return held;
}

function run(
  { models }: Pick<Held, "models">,
  { manifest, cid, file }: TestModel,
  changes: Partial<ModelTask> = {},
): Promise<ModelResult> {
  return models.load(manifest, cid, file).run({
    input: generateInput({ maxTokens: 3 }),
    fuelLimit: 10n ** 12n,
    outputBytes: 2 ** 20,
    deadlineMs: 30_000,
    signal: new AbortController().signal,
    onStart: () => undefined,
    onPart: () => Promise.resolve(),
    ...changes,
  });
}

function failure(name: FailureName): object {
  return { kind: "failed", code: failureCode(name) };
}

describe("models of a provider", () => {
  it("run one task after the other, and open a model once for all its tasks", async () => {
    const held = start();
    const order: string[] = [];
    const results = await Promise.all(
      ["a", "b", "c"].map((name) =>
        run(held, writer, {
          onStart: () => order.push(`${name} starts`),
          onPart: () => Promise.resolve(void order.push(`${name} writes`)),
        }),
      ),
    );
    expect(results.map(({ kind }) => kind)).toEqual(["done", "done", "done"]);
    expect(order).toEqual(["a", "b", "c"].flatMap((name) => [`${name} starts`, `${name} writes`]));
    expect(held.opened).toEqual([writer.cid]);
    expect(held.models.busy).toBe(0);
    expect(held.models.view().open).toMatchObject({ cid: writer.cid, name: "writer 6", backend: "wasm" });
    expect(held.models.view().open?.memoryBytes).toBeGreaterThan(0);
    held.clock = 3_000;
    expect(held.models.view().tokensPerSecond).toBe(3);
  });

  it("serve the open model first, and open the other one for what is left", async () => {
    const held = start();
    await Promise.all([run(held, writer), run(held, other), run(held, writer), run(held, other)]);
    expect(held.opened).toEqual([writer.cid, other.cid]);
  });

  it("embed, in one outcome with a hash over all vectors", async () => {
    const held = start();
    const encoder = await encoderModel();
    const input = encodeModelData(embedInputSchema, { texts: ["a bad cab", "dad"] });
    const result = await run(held, encoder, { input });
    expect(result).toMatchObject({ kind: "done", part: { to: 0 } });
    if (result.kind !== "done") return;
    const output = decodeModelData(embedOutputSchema, result.part.output);
    expect(output).toMatchObject({ dimensions: encoder.manifest.dimensions, tokens: [9, 4] });
    const turned = encodeModelData(embedInputSchema, { texts: ["dad", "a bad cab"] });
    const again = await run(held, encoder, { input: turned });
    expect(again.kind === "done" && again.part.stateHash).not.toEqual(result.part.stateHash);
    const silent = encodeModelData(embedInputSchema, { texts: ["a", ""] });
    expect(await run(held, encoder, { input: silent })).toMatchObject(failure("malformed"));
    const short = await run(held, encoder, { input, fuelLimit: result.part.fuel - 1n });
    expect(short).toMatchObject(failure("out-of-fuel"));
    expect(short.kind === "failed" && short.fuel > 0n && short.fuel < result.part.fuel).toBe(true);
    expect(await run(held, encoder, { input, outputBytes: 100 })).toMatchObject(failure("output-too-large"));
  });

  it("that owe rest begin nothing meanwhile, give back what waits, and go on when they are given more", async () => {
    const held = start();
    held.models.setDuty(1);
    const encoder = await encoderModel();
    const input = encodeModelData(embedInputSchema, { texts: ["a bad cab"] });
    await run(held, encoder, { input });
    const begun: string[] = [];
    const cancel = new AbortController();
    const given = run(held, encoder, {
      input,
      signal: cancel.signal,
      onStart: () => begun.push("given back"),
    });
    const kept = run(held, encoder, { input, onStart: () => begun.push("kept") });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(begun).toEqual([]);
    cancel.abort();
    expect(await given).toMatchObject(failure("not-started"));
    held.models.setDuty(100);
    expect(await kept).toMatchObject({ kind: "done" });
    expect([begun, held.opened]).toEqual([["kept"], [encoder.cid]]);
    expect(held.models.busyMs).toBeGreaterThan(0);
  });

  it("wait for a part to be taken before the next", async () => {
    const held = start();
    const taken: ModelPart[] = [];
    const gate = Promise.withResolvers<void>();
    const running = run(held, writer, {
      input: generateInput({ maxTokens: 80, temperatureMilli: 900 }),
      onPart: async (part) => {
        taken.push(part);
        await gate.promise;
      },
    });
    await expect.poll(() => taken.length).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(taken).toHaveLength(1);
    gate.resolve();
    const result = await running;
    if (result.kind !== "done") throw new Error("it should be done");
    expect(putTogether([...taken, result.part]).tokens).toHaveLength(80);
  });

  it("give back what runs and what waits when nobody wants it any more, and keep their model open", async () => {
    const held = start();
    let parts = 0;
    const unwanted = new AbortController();
    const { signal } = unwanted;
    const endless = {
      signal,
      input: generateInput({ maxTokens: 80, temperatureMilli: 900 }),
      onPart: () => {
        parts += 1;
        return new Promise<void>(() => undefined);
      },
    };
    const running = run(held, writer, endless);
    const waiting = run(held, other, { signal });
    await expect.poll(() => parts).toBe(1);
    unwanted.abort();
    expect(await running).toMatchObject(failure("cancelled"));
    expect(await waiting).toMatchObject(failure("not-started"));
    expect(await run(held, other, { signal })).toMatchObject(failure("not-started"));
    expect(await run(held, writer)).toMatchObject({ kind: "done" });
    expect(parts).toBe(1);
    // It was stopped in time, so the thread and the model in it are the same.
    expect(held.opened).toEqual([writer.cid]);
  });

  it("tell a task that was cancelled apart from one that had not started", async () => {
    const held = start();
    const [first, second] = [new AbortController(), new AbortController()];
    const running = run(held, writer, {
      input: generateInput({ maxTokens: 80, temperatureMilli: 900 }),
      signal: first.signal,
      onPart: () => {
        second.abort();
        first.abort();
        return Promise.resolve();
      },
    });
    const waiting = run(held, writer, { signal: second.signal });
    const last = run(held, writer);
    expect(await running).toMatchObject(failure("cancelled"));
    expect(await waiting).toMatchObject(failure("not-started"));
    expect(await last).toMatchObject({ kind: "done" });
  });

  it("run nothing that is cancelled as it starts, and nothing where no thread can be started", async () => {
    const held = start();
    const cancel = new AbortController();
    let parts = 0;
    const stopped = run(held, writer, {
      signal: cancel.signal,
      onStart: () => cancel.abort(),
      onPart: () => Promise.resolve(void (parts += 1)),
    });
    expect(await stopped).toMatchObject(failure("cancelled"));
    expect(await run(held, writer)).toMatchObject({ kind: "done" });
    expect(parts).toBe(0);
    let refused = 0;
    const models = new Models({
      startThread: () => {
        refused += 1;
        if (refused === 1) throw new Error("no threads here");
        return modelThreadHere();
      },
      gpu: false,
      now: () => 0,
      onChange: () => undefined,
    });
    made.push(models);
    expect(await run({ models }, writer)).toMatchObject(failure("worker-lost"));
    expect(await run({ models }, writer)).toMatchObject({ kind: "done" });
  });

  it("end what runs past its deadline, and what comes next runs", async () => {
    const held = start();
    const late = run(held, writer, {
      input: generateInput({ maxTokens: 80, temperatureMilli: 900 }),
      deadlineMs: 100,
      onPart: () => new Promise(() => undefined),
    });
    const next = run(held, writer);
    expect(await late).toMatchObject(failure("deadline"));
    expect(await next).toMatchObject({ kind: "done" });
  });

  it("say what is wrong with a model's file, and open the next one", async () => {
    const held = start();
    const broken = { ...writer, file: new Blob(["no model"]) };
    expect(await run(held, broken)).toMatchObject(failure("malformed"));
    expect(await run(held, other)).toMatchObject({ kind: "done" });
  });

  it("start another thread when theirs is lost", async () => {
    const opened: string[] = [];
    const threads: ReturnType<typeof modelThreadHere>[] = [];
    const models = new Models({
      startThread: () => {
        const thread = modelThreadHere(opened);
        threads.push(thread);
        return thread;
      },
      gpu: false,
      now: () => 0,
      onChange: () => undefined,
    });
    made.push(models);
    const held = { models, opened, clock: 0 };
    const running = run(held, writer, {
      input: generateInput({ maxTokens: 80, temperatureMilli: 900 }),
      onPart: () => {
        threads[0]?.terminate();
        return new Promise(() => undefined);
      },
    });
    expect(await running).toMatchObject(failure("worker-lost"));
    expect(await run(held, writer)).toMatchObject({ kind: "done" });
    expect(threads).toHaveLength(2);
  });

  it("open the model again for the task after one that lost the graphics card", async () => {
    const opened: string[] = [];
    const thread = modelThreadHere(opened);
    let runs = 0;
    const models = new Models({
      startThread: () => ({
        ...thread,
        // As a host answers whose device went away: see the host's own test, where a device does.
        async run(task, onPart) {
          runs += 1;
          if (runs > 1) return thread.run(task, onPart);
          await thread.stop();
          return {
            kind: "failed",
            code: failureCode("gpu-lost"),
            detail: "the device is destroyed",
            fuel: 0n,
          };
        },
      }),
      gpu: true,
      now: () => 0,
      onChange: () => undefined,
    });
    made.push(models);
    const held = { models, opened, clock: 0 };
    expect(await run(held, writer)).toMatchObject(failure("gpu-lost"));
    expect(models.view().open).toBeUndefined();
    expect(await run(held, writer)).toMatchObject({ kind: "done" });
    expect(opened).toEqual([writer.cid, writer.cid]);
    expect(models.view().open?.whyNotGpu).toBeDefined();
  });

  it("compute where the person wants it from the next task on", async () => {
    const held = start();
    await run(held, writer);
    expect(held.models.view()).toMatchObject({ gpu: false, open: { backend: "wasm" } });
    expect(held.models.view().open?.whyNotGpu).toBeUndefined();
    held.models.setGpu(true);
    await run(held, writer);
    expect(held.models.view()).toMatchObject({ gpu: true, open: { backend: "wasm" } });
    expect(held.models.view().open?.whyNotGpu).toMatch(/the processor (takes|does)|no WebGPU/u);
    expect(held.opened).toEqual([writer.cid, writer.cid]);
  });

  it("show nothing of an opening that is over, however late they hear of it", async () => {
    const late = Promise.withResolvers<void>();
    const here = modelThreadHere();
    const models = new Models({
      startThread: () => ({
        ...here,
        open: async (cid, file, options, onProgress) => {
          const outcome = await here.open(cid, file, options, onProgress);
          setTimeout(() => late.resolve(onProgress(file.size, file.size)));
          return outcome;
        },
      }),
      gpu: false,
      now: () => 0,
      onChange: () => undefined,
    });
    made.push(models);
    expect(await run({ models }, writer)).toMatchObject({ kind: "done" });
    await late.promise;
    expect(models.view().open).toBeDefined();
    expect(models.view().opening).toBeUndefined();
  });

  it("give back everything when they are closed", async () => {
    const held = start();
    const running = run(held, writer);
    held.models.close();
    expect(await running).toMatchObject(failure("draining"));
    expect(await run(held, writer)).toMatchObject(failure("draining"));
  });
});

function queueOf(...cids: Cid[]): { readonly cid: Cid; readonly at: number }[] {
  return cids.map((cid, at) => ({ cid, at }));
}

describe("the queue", () => {
  const [a, b] = [writer.cid, other.cid];
  it("keeps to the open model for its turn, then takes who has waited longest, so that nobody starves", () => {
    const turn = { cid: a, since: 1_000 };
    expect(nextTask(queueOf(b, a), turn, 1_000 + MODEL_TURN_MS - 1)?.at).toBe(1);
    expect(nextTask(queueOf(b, a), turn, 1_000 + MODEL_TURN_MS)?.at).toBe(0);
    expect(nextTask(queueOf(b), turn, 1_000)?.at).toBe(0);
    expect(nextTask(queueOf(b, a), undefined, 0)?.at).toBe(0);
    expect(nextTask([], turn, 0)).toBeUndefined();
  });
});

describe("a challenge", () => {
  const seed = new Uint8Array(32).fill(3);

  it("is computed where no task is, and given back where one is", async () => {
    const held = start();
    const challenge = { kernels: "wasm-rows", seed, passes: 1 } as const;
    expect(await held.models.measure(challenge)).toMatchObject({ kind: "done" });
    const running = run(held, writer);
    expect(await held.models.measure(challenge)).toMatchObject({
      kind: "failed",
      code: failureCode("cancelled"),
    });
    expect(await running).toMatchObject({ kind: "done" });
  });

  it("ends for a task that comes, which finds its model open", async () => {
    const held = start();
    await run(held, writer);
    const challenge = held.models.measure({ kernels: "wasm-rows", seed, passes: 1_000_000 });
    expect(await run(held, writer)).toMatchObject({ kind: "done" });
    expect(await challenge).toMatchObject({ kind: "failed", code: failureCode("cancelled") });
    expect(held.opened).toEqual([writer.cid]);
  });
});
