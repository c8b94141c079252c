/** Entry of a thread that computes tasks of models again. */
import { parentPort } from "node:worker_threads";
import { failureCode } from "../../protocol/failure-code.ts";
import { answerModelCall } from "./answer-model-call.ts";
import { isModelCall, type ModelReply } from "./model-call.ts";

if (parentPort === null) throw new TypeError("this file is the entry of a worker thread");
const port = parentPort;

function lost(error: unknown): ModelReply {
  const detail = error instanceof Error ? error.message : String(error);
  return { kind: "failed", code: failureCode("worker-lost"), detail, fuel: 0n, from: 0, isOpening: true };
}

port.on("message", (call: unknown) => {
  if (!isModelCall(call)) throw new TypeError("a call to a model has its CID");
  void answerModelCall(call)
    .catch(lost)
    .then((reply) => port.postMessage(reply));
});
