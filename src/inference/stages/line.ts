/** A way to a thread and back: what a worker of a browser, one of Node and a port have in common. */
export interface Line {
  /** @param transfer buffers that are moved, not copied */
  post(message: unknown, transfer?: readonly ArrayBuffer[]): void;
  /**
   * Called once, at the beginning.
   * @param onLost told once at most, when the other end is no more
   */
  listen(onMessage: (message: unknown) => void, onLost: (reason: string) => void): void;
  /** Ends the other end, where it is a thread of ours. */
  close(): void;
}

/** What a page's thread and its owner have in common. */
interface Endpoint {
  postMessage(message: unknown, transfer: Transferable[]): void;
  addEventListener(type: "message" | "messageerror", listener: (event: MessageEvent) => void): void;
}

/** The line of a thread in a browser to who started it, `lineToOwner(globalThis)`; or over a port, which is started. */
export function lineToOwner(endpoint: Endpoint & { readonly start?: () => void; close(): void }): Line {
  return {
    post: (message, transfer = []) => endpoint.postMessage(message, [...transfer]),
    listen(onMessage, onLost) {
      endpoint.addEventListener("message", ({ data }) => onMessage(data));
      endpoint.addEventListener("messageerror", () => onLost("a message cannot be read"));
      endpoint.start?.();
    },
    close: () => endpoint.close(),
  };
}

/** The line to a thread in a browser. Closing it ends the thread at once, whatever it does. */
export function lineToWorker(worker: Worker): Line {
  return {
    post: (message, transfer = []) => worker.postMessage(message, [...transfer]),
    listen(onMessage, onLost) {
      worker.addEventListener("message", ({ data }: MessageEvent<unknown>) => onMessage(data));
      worker.addEventListener("messageerror", () => onLost("a message cannot be read"));
      worker.addEventListener("error", (event) => {
        // It is told as a failure, not to the console.
        event.preventDefault();
        worker.terminate();
        onLost(event.message === "" ? "the thread could not be started" : event.message);
      });
    },
    close: () => worker.terminate(),
  };
}
