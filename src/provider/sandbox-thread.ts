import { type Remote, wrap } from "comlink";
import type { LoadResult, RemoteSandbox, TaskRequest, TaskResult } from "../sandbox/task.ts";

/**
 * One worker thread that runs functions. This file owns its life: a call under way when it ends never settles by
 * itself (comlink's calls do not survive `terminate`), so whoever ends it settles its calls.
 */
export interface SandboxThread {
  load(cid: string, bytes: Uint8Array): Promise<LoadResult>;
  /** Runs tasks one after the other, and answers when all have ended. */
  runAll(requests: readonly TaskRequest[]): Promise<readonly TaskResult[]>;
  /** Ends the thread at once, whatever it does. */
  terminate(): void;
  /** Called once when the thread dies by itself. */
  onDeath(listener: (reason: string) => void): void;
}

/** @param create makes the worker of workers/sandbox.worker.ts; the page does it, so that its bundler sees the file. */
export function startSandboxThread(create: () => Worker): SandboxThread {
  const worker = create();
  const sandbox: Remote<RemoteSandbox> = wrap<RemoteSandbox>(worker);
  return {
    load: (cid, bytes) => sandbox.load(cid, bytes),
    runAll: (requests) => sandbox.runAll(requests),
    terminate: () => worker.terminate(),
    onDeath(listener) {
      worker.addEventListener("error", (event) => listener(event.message), { once: true });
    },
  };
}
