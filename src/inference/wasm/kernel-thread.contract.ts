/* A thread of a browser that helps with a model, for tests. */
import { serveKernels } from "./kernel-thread.ts";

serveKernels({
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  post: (message) => globalThis.postMessage(message),
  onMessage: (listen) => globalThis.addEventListener("message", ({ data }) => listen(data)),
});
