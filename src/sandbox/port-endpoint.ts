import type { Endpoint } from "comlink";

/** What Node's `Worker` and `parentPort` have in common. Written down here so that this room stays free of Node. */
export interface NodePort {
  postMessage(message: unknown, transfer?: readonly ArrayBuffer[]): void;
  on(event: "message", listener: (message: unknown) => void): unknown;
  off(event: "message", listener: (message: unknown) => void): unknown;
}

type Listener = (message: unknown) => void;

/**
 * A Node worker thread's port as an endpoint for `exposeSandbox` (in the thread) or comlink's `wrap` (at its owner).
 * The thread's file is two lines: `exposeSandbox(portEndpoint(parentPort))` and the imports for it.
 */
export function portEndpoint(port: NodePort): Endpoint {
  const listeners = new Map<EventListenerOrEventListenerObject, Listener>();
  return {
    postMessage: (message: unknown, transfer?: Transferable[]) =>
      port.postMessage(message, (transfer ?? []).filter(isBuffer)),
    addEventListener(_type, handler) {
      const listener: Listener = (data) => {
        const event = new MessageEvent("message", { data });
        if (typeof handler === "function") handler(event);
        else handler.handleEvent(event);
      };
      listeners.set(handler, listener);
      port.on("message", listener);
    },
    removeEventListener(_type, handler) {
      const listener = listeners.get(handler);
      if (listener === undefined) return;
      listeners.delete(handler);
      port.off("message", listener);
    },
  };
}

/** Buffers are all that a sandbox moves. */
function isBuffer(item: Transferable): item is ArrayBuffer {
  return item instanceof ArrayBuffer;
}
