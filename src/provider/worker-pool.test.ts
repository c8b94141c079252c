import { expect, test } from "vitest";
import { failureCode } from "../protocol/failure-code.ts";
import type { TaskRequest, TaskResult } from "../sandbox/task.ts";
import type { SandboxThread } from "./sandbox-thread.ts";
import { type PoolResult, WorkerPool } from "./worker-pool.ts";

const NOTHING = new Uint8Array(0);
/** First byte of an input that never comes back, and of one that takes its thread down. */
const HANG = 1;
const DIE = 2;

/** A thread that answers with its inputs; what it was given stays readable. */
class EchoThread implements SandboxThread {
  readonly batches: number[][] = [];
  #died: ((reason: string) => void) | undefined;

  load(): ReturnType<SandboxThread["load"]> {
    return Promise.resolve({ kind: "loaded", meteredBytes: 1, minimumMemoryBytes: 0 });
  }

  async runAll(requests: readonly TaskRequest[]): Promise<readonly TaskResult[]> {
    const firsts = requests.map(({ input }) => input[0] ?? 0);
    this.batches.push(firsts);
    if (firsts.includes(DIE)) this.#died?.("the thread died");
    if (firsts.includes(HANG) || firsts.includes(DIE)) await new Promise(() => undefined);
    return requests.map(({ input }) => ({
      kind: "done",
      output: input,
      fuel: 1n,
      stderr: NOTHING,
      inputSha256: NOTHING,
      outputSha256: NOTHING,
    }));
  }

  rest(): Promise<void> {
    return Promise.resolve();
  }

  terminate(): void {
    this.#died = undefined;
  }

  onDeath(listener: (reason: string) => void): void {
    this.#died = listener;
  }
}

interface Scene {
  readonly pool: WorkerPool;
  readonly threads: EchoThread[];
  run(first: number, signal?: AbortSignal): Promise<PoolResult>;
}

function scene(size: number): Scene {
  const threads: EchoThread[] = [];
  const pool = new WorkerPool(() => {
    const thread = new EchoThread();
    threads.push(thread);
    return thread;
  }, size);
  const run = (first: number, signal: AbortSignal = new AbortController().signal): Promise<PoolResult> =>
    pool.run({
      request: {
        function: { cid: "f", abi: "bytes-1", entry: "" },
        args: { args: [], env: {}, files: [] },
        input: Uint8Array.of(first),
        seed: NOTHING,
        limits: { fuel: 1n, memoryBytes: 1, outputBytes: 1 },
      },
      module: NOTHING,
      deadlineMs: 50,
      signal,
      onStart: () => undefined,
    });
  return { pool, threads, run };
}

/** Lets a thread show that it is quick, so that it gets tasks together. */
async function warmUp(warmed: Scene): Promise<void> {
  // oxlint-disable-next-line no-await-in-loop
  for (let turn = 0; turn < 12; turn += 1) await warmed.run(0);
}

function answer(result: PoolResult): number {
  return result.kind === "failed" ? result.code : (result.output[0] ?? -1);
}

test("small tasks that wait go to a thread together, and each gets its own result", async () => {
  const one = scene(1);
  await warmUp(one);
  const inputs = Array.from({ length: 40 }, (_, index) => index + 10);
  const results = await Promise.all(inputs.map(async (first) => one.run(first)));
  expect(results.map(answer)).toEqual(inputs);
  const sizes = one.threads.flatMap(({ batches }) => batches.map((batch) => batch.length));
  expect(Math.max(...sizes)).toBeGreaterThan(1);
});

test("no thread takes what another could turn to at once", async () => {
  const two = scene(2);
  await warmUp(two);
  await Promise.all([10, 11].map(async (first) => two.run(first)));
  expect(two.threads.map(({ batches }) => batches.at(-1)?.length)).toEqual([1, 1]);
});

test.each([
  ["hangs", HANG, "deadline"],
  ["takes its thread down", DIE, "worker-lost"],
] as const)("of tasks that went together, the one that %s fails alone", async (_what, guilty, code) => {
  const one = scene(1);
  await warmUp(one);
  const inputs = [10, 11, guilty, 12, 13];
  const results = await Promise.all(inputs.map(async (first) => one.run(first)));
  expect(results.map(answer)).toEqual([10, 11, failureCode(code), 12, 13]);
});

test("a task cancelled while its thread is at it takes none of its neighbours along", async () => {
  const one = scene(1);
  await warmUp(one);
  const cancel = new AbortController();
  const hanging = one.run(HANG, cancel.signal);
  const others = [10, 11].map(async (first) => one.run(first));
  await Promise.resolve();
  cancel.abort();
  expect(answer(await hanging)).toBe(failureCode("cancelled"));
  expect((await Promise.all(others)).map(answer)).toEqual([10, 11]);
});
