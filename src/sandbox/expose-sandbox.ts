import { type Endpoint, expose, transfer } from "comlink";
import { createSandbox } from "./sandbox.ts";
import type { RemoteSandbox, TaskResult } from "./task.ts";

/** From here on moving a buffer to the other thread costs less than copying it. */
const TRANSFER_BYTES: number = 16 * 1024;

/**
 * Makes this thread a sandbox for whoever holds the other end: our own window, or the Node process that started the
 * thread (comlink's Node adapter turns its port into an endpoint). Outputs are moved, not copied.
 */
export function exposeSandbox(endpoint: Endpoint): void {
  const sandbox = createSandbox();
  const exposed: RemoteSandbox = {
    load: (cid, bytes) => sandbox.load(cid, bytes),
    run: async (request) => moved(await sandbox.run(request)),
    async runAll(requests) {
      const results: TaskResult[] = [];
      // oxlint-disable-next-line no-await-in-loop -- one thread runs one after the other
      for (const request of requests) results.push(await sandbox.run(request));
      return transfer(results, results.flatMap(largeBuffers));
    },
    forget: (cid) => sandbox.forget(cid),
  };
  expose(exposed, endpoint);
}

function moved(result: TaskResult): TaskResult {
  return transfer(result, largeBuffers(result));
}

function largeBuffers(result: TaskResult): ArrayBufferLike[] {
  return result.kind === "failed" || result.output.length < TRANSFER_BYTES ? [] : [result.output.buffer];
}
