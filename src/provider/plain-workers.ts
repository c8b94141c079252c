import type { ThreadHost } from "./thread-host.ts";

/** Threads of the page's own origin, for a browser in which the frame does not come up. */
export function openPlainWorkers(script: string): ThreadHost {
  const { promise: lost, resolve: lose } = Promise.withResolvers<string>();
  return {
    isolation: "worker",
    lost,
    start(line, onDeath) {
      const worker = new Worker(script);
      worker.addEventListener("error", ({ message }) => onDeath(message));
      worker.postMessage("line", [line]);
      return () => worker.terminate();
    },
    close: () => lose("the threads were closed"),
  };
}
