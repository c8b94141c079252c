import { Worker } from "node:worker_threads";
import { failureCode } from "../../protocol/failure-code.ts";
import { callSandbox } from "../../sandbox/call-sandbox.ts";
import { portEndpoint } from "../../sandbox/port-endpoint.ts";
import type { LoadResult, TaskRequest, TaskResult } from "../../sandbox/task.ts";

const ENTRY = new URL("thread-main.ts", import.meta.url);
const NO_BYTES = new Uint8Array(0);

/**
 * One worker thread that runs functions. This file owns its life: calls under way when it dies are settled with
 * `worker-lost`, since a call into a thread never settles by itself once the thread is gone.
 */
export interface NodeThread {
  /** Resolves when it takes calls, or has died before it could. */
  readonly ready: Promise<void>;
  load(cid: string, bytes: Uint8Array): Promise<LoadResult>;
  run(request: TaskRequest): Promise<TaskResult>;
  /** It died, or was ended. */
  readonly isDead: boolean;
  /** Ends it at once, whatever it does; its memory is free when this resolves. */
  terminate(): Promise<void>;
}

/** @param heapMib the most JavaScript heap it may take; beyond that it dies */
export function startNodeThread(heapMib: number): NodeThread {
  const worker = new Worker(ENTRY, {
    resourceLimits: { maxOldGenerationSizeMb: heapMib },
    // Functions see neither; the thread itself needs none.
    env: {},
    argv: [],
  });
  let isDead = false;
  const death = Promise.withResolvers<string>();
  worker.once("error", (error) => die(error instanceof Error ? error.message : String(error)));
  worker.once("exit", (code) => die(`it ended with exit code ${code}`));
  function die(reason: string): void {
    isDead = true;
    death.resolve(`the thread died: ${reason}`);
  }
  const sandbox = callSandbox(portEndpoint(worker));
  const lost = death.promise.then((detail) => ({
    kind: "failed" as const,
    code: failureCode("worker-lost"),
    detail,
    fuel: 0n,
    stderr: NO_BYTES,
  }));
  return {
    ready: Promise.race([sandbox.up, death.promise.then(() => undefined)]),
    load: (cid, bytes) => Promise.race([sandbox.load(cid, bytes), lost]),
    run: (request) => Promise.race([sandbox.run(request), lost]),
    get isDead() {
      return isDead;
    },
    async terminate() {
      await worker.terminate();
    },
  };
}
