import { Worker } from "node:worker_threads";
import type { Line } from "../../inference/stages/line.ts";

const ENTRY = new URL("stage-main.ts", import.meta.url);

/** Starts a thread that holds some layers of a model. Closing its line ends it at once, whatever it does. */
export function startStageThread(): Line {
  const worker = new Worker(ENTRY, { env: {}, argv: [], execArgv: [] });
  return {
    post: (message, transfer = []) => worker.postMessage(message, transfer),
    listen(onMessage, onLost) {
      worker.on("message", onMessage);
      worker.once("messageerror", (error) => onLost(error.message));
      worker.once("error", (error) => onLost(error instanceof Error ? error.message : String(error)));
      worker.once("exit", (code) => onLost(`its thread ended with exit code ${code}`));
    },
    close: () => void worker.terminate(),
  };
}
