import { failureCode, failureKind, type FailureName } from "../protocol/failure-code.ts";
import type { PoolResult, PoolTask } from "./pool-slot.ts";
import type { SandboxThread } from "./sandbox-thread.ts";

const NO_BYTES = new Uint8Array(0);
const UNLOADED = failureCode("function-unavailable");

/** A task that has no outcome of its own. */
export function failed(name: FailureName, detail: string): PoolResult {
  return {
    kind: "failed",
    code: failureCode(name),
    detail,
    fuel: 0n,
    stderr: NO_BYTES,
    inputSha256: NO_BYTES,
  };
}

/** Loads functions into a thread as tasks need them. */
export class LoadingThread {
  readonly #thread: SandboxThread;
  readonly #loaded = new Map<string, Promise<PoolResult | undefined>>();

  constructor(thread: SandboxThread) {
    this.#thread = thread;
  }

  /** Runs tasks of one function; both calls wait in the thread's own queue behind those before. Never rejects. */
  async runAll(tasks: readonly PoolTask[]): Promise<readonly PoolResult[]> {
    try {
      const results = await this.#runLoaded(tasks);
      if (!results.some(isUnloaded)) return results;
      // The thread let go of the function to make room for others.
      this.#loaded.clear();
      return await this.#runLoaded(tasks);
    } catch (error) {
      const detail = error instanceof Error ? error.message : "the thread failed";
      return tasks.map(() => failed("worker-lost", detail));
    }
  }

  async #runLoaded(tasks: readonly PoolTask[]): Promise<readonly PoolResult[]> {
    const [first] = tasks;
    const refused = first === undefined ? undefined : await this.#load(first);
    if (refused !== undefined) return tasks.map(() => refused);
    return this.#thread.runAll(tasks.map(({ request }) => request));
  }

  #load(task: PoolTask): Promise<PoolResult | undefined> {
    const { cid } = task.request.function;
    let loading = this.#loaded.get(cid);
    if (loading === undefined) {
      loading = this.#loadOnce(task);
      this.#loaded.set(cid, loading);
    }
    return loading;
  }

  async #loadOnce({ request, module }: PoolTask): Promise<PoolResult | undefined> {
    const { cid } = request.function;
    const loaded = await this.#thread.load(cid, module);
    // A lack of memory may pass; what is wrong with the module stays wrong.
    if (loaded.kind === "failed" && failureKind(loaded.code).refund === "retry") this.#loaded.delete(cid);
    return loaded.kind === "failed"
      ? { ...loaded, fuel: 0n, stderr: NO_BYTES, inputSha256: NO_BYTES }
      : undefined;
  }
}

function isUnloaded(result: PoolResult): boolean {
  return result.kind === "failed" && result.code === UNLOADED;
}
