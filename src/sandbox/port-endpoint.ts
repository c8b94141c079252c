import type { ThreadLine } from "./thread-message.ts";

/** What Node's `Worker` and `parentPort` have in common. Written down here so that this room stays free of Node. */
export interface NodePort {
  postMessage(message: unknown, transfer?: readonly ArrayBuffer[]): void;
  on(event: "message", listener: (message: unknown) => void): unknown;
}

/**
 * A Node worker thread's port as the line of `answerCalls` (in the thread) or `callSandbox` (at its owner). The thread's
 * file is one line, `answerCalls(portEndpoint(parentPort))`, and the imports for it.
 */
export function portEndpoint(port: NodePort): ThreadLine {
  return {
    postMessage: (message, transfer = []) => port.postMessage(message, transfer.filter(isBuffer)),
    addEventListener(_type, listener) {
      port.on("message", (data) => listener(new MessageEvent("message", { data })));
    },
  };
}

/** Buffers are all that a sandbox moves. */
function isBuffer(item: Transferable): item is ArrayBuffer {
  return item instanceof ArrayBuffer;
}
