/** A thread of Node that helps with a model. Run as a thread, this file serves kernels. */
import { isMainThread, parentPort, Worker } from "node:worker_threads";
import type { KernelThread } from "./kernel-crew.ts";
import { serveKernels } from "./kernel-thread.ts";

export function startNodeThread(): KernelThread {
  const worker = new Worker(new URL(import.meta.url));
  worker.unref();
  return {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    post: (message) => worker.postMessage(message),
    onMessage: (listen) => worker.on("message", listen),
    onFailure: (listen) => worker.on("error", listen),
    terminate: () => void worker.terminate(),
  };
}

if (!isMainThread && parentPort !== null) {
  const port = parentPort;
  serveKernels({
    post: (message) => port.postMessage(message),
    onMessage: (listen) => port.on("message", listen),
  });
}
