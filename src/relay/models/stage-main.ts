/** Entry of a thread that holds some layers of a model. */
import { parentPort } from "node:worker_threads";
import { answerStage } from "../../inference/stages/answer-stage.ts";

const port = parentPort;
if (port === null) throw new TypeError("this file is the entry of a worker thread");
answerStage({
  post: (message, transfer = []) => port.postMessage(message, transfer),
  listen(onMessage, onLost) {
    port.on("message", onMessage);
    port.on("messageerror", (error) => onLost(error.message));
  },
  close: () => port.close(),
});
