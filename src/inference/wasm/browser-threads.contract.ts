/* A worker of a browser test: computes a model on several threads, as a tab does, and answers with the bits. */
import { ODD_SHAPES, oddModel, someTokens } from "./decoder.contract.ts";
import { canShareMemory, type KernelThread } from "./kernel-crew.ts";
import { createWasmBackend } from "./wasm-backend.ts";

export interface ThreadedBits {
  readonly isShared: boolean;
  readonly hidden: readonly Int32Array[];
  readonly logits: readonly Int32Array[];
}

function startThread(): KernelThread {
  const worker = new Worker(new URL("kernel-thread.contract.ts", import.meta.url), { type: "module" });
  return {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    post: (message) => worker.postMessage(message),
    onMessage: (listen) => worker.addEventListener("message", ({ data }) => listen(data)),
    onFailure: (listen) => worker.addEventListener("error", listen),
    terminate: () => worker.terminate(),
  };
}

async function compute(): Promise<ThreadedBits> {
  const backend = createWasmBackend({ threads: { count: 3, start: startThread } });
  const hidden: Int32Array[] = [];
  const logits: Int32Array[] = [];
  for (const odd of ODD_SHAPES) {
    const model = oddModel(odd);
    // oxlint-disable-next-line no-await-in-loop -- three threads at a time
    const decoder = await backend.open(model);
    // oxlint-disable-next-line no-await-in-loop
    hidden.push(await decoder.forward(someTokens(model)));
    // oxlint-disable-next-line no-await-in-loop
    logits.push(await decoder.logits(hidden.at(-1) ?? new Int32Array(0)));
    decoder.close();
  }
  return { isShared: canShareMemory(), hidden, logits };
}

globalThis.addEventListener("message", () => {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin, promise/prefer-await-to-then
  void compute().then((bits) => globalThis.postMessage(bits));
});
