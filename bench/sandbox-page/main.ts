/** A page that runs functions in the provider's own worker script, and kernels in its own thread. */
import { callSandbox, type CalledSandbox } from "../../src/sandbox/call-sandbox.ts";
import type { TaskRequest } from "../../src/sandbox/task.ts";
import type { Kernel } from "../kernels/kernels.ts";
import { type Race, raceKernel } from "../kernels/race-kernel.ts";

const CID = "f";
/** Task limits that nothing measured here reaches. */
const LIMITS = { fuel: 1_000_000_000n, memoryBytes: 16 * 1024 * 1024, outputBytes: 1024 };
const WARM_UP_TASKS = 2_000;
/** Tasks that go to the worker together, so that the way there and back is not what is measured. */
const BATCH = 250;

interface Thread {
  readonly worker: Worker;
  readonly sandbox: CalledSandbox;
}

function startThread(): Thread {
  const worker = new Worker(new URL("../../workers/sandbox.worker.ts", import.meta.url), { type: "module" });
  const { port1, port2 } = new MessageChannel();
  worker.postMessage("line", [port2]);
  return { worker, sandbox: callSandbox(port1) };
}

function request(input: Uint8Array = new Uint8Array(8)): TaskRequest {
  return {
    function: { cid: CID, abi: "bytes-1", entry: "" },
    args: { args: [], env: {}, files: [] },
    input,
    seed: new Uint8Array(32),
    limits: LIMITS,
  };
}

async function load({ sandbox }: Thread, wasm: Uint8Array): Promise<void> {
  const loaded = await sandbox.load(CID, wasm);
  if (loaded.kind === "failed") throw new Error(loaded.detail);
}

async function runOne({ sandbox }: Thread): Promise<void> {
  const result = await sandbox.run(request());
  if (result.kind === "failed") throw new Error(result.detail);
}

async function timed(act: () => Promise<void>): Promise<number> {
  const begun = performance.now();
  await act();
  return performance.now() - begun;
}

const page = {
  race: (kernel: Kernel, wasm: readonly number[]): Promise<Race> => raceKernel(kernel, Uint8Array.from(wasm)),

  /**
   * Milliseconds to the first answer of a function whose bytes are at hand, on a worker that has run nothing; each of
   * `rounds`. @param aheadMs how long before its need the worker was born; 0 counts its birth too
   */
  async coldStarts(wasm: readonly number[], rounds: number, aheadMs: number): Promise<readonly number[]> {
    const bytes = Uint8Array.from(wasm);
    const times: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      let thread = aheadMs === 0 ? undefined : startThread();
      await new Promise((resolve) => {
        setTimeout(resolve, aheadMs);
      });
      times.push(
        await timed(async () => {
          thread ??= startThread();
          await load(thread, bytes);
          await runOne(thread);
        }),
      );
      thread?.worker.terminate();
    }
    return times;
  },

  /** Milliseconds of the first task of a function that a running worker has just compiled, there and back. */
  async warmStarts(wasm: readonly number[], rounds: number): Promise<readonly number[]> {
    const thread = startThread();
    const times: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      await load(thread, Uint8Array.from(wasm));
      times.push(await timed(() => runOne(thread)));
      await thread.sandbox.forget(CID);
    }
    thread.worker.terminate();
    return times;
  },

  /** Milliseconds per task of each of `rounds` batches, a fresh instance each. */
  async tasks(wasm: readonly number[], rounds: number): Promise<readonly number[]> {
    const thread = startThread();
    await load(thread, Uint8Array.from(wasm));
    const batch = (): TaskRequest[] => Array.from({ length: BATCH }, () => request());
    for (let done = 0; done < WARM_UP_TASKS; done += BATCH) await thread.sandbox.runAll(batch());
    const times: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const requests = batch();
      times.push((await timed(async () => void (await thread.sandbox.runAll(requests)))) / BATCH);
    }
    const [last] = await thread.sandbox.runAll([request()]);
    if (last?.kind !== "done") throw new Error("the tasks failed");
    thread.worker.terminate();
    return times;
  },
};

export type SandboxPage = typeof page;

Object.assign(globalThis, { sandboxPage: page });
