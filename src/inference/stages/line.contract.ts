/* Stages in the thread that tests: everything but the thread is as it is between threads, messages included. */
import { answerStage } from "./answer-stage.ts";
import { type Line, lineToOwner } from "./line.ts";

/** A stage behind a port. @param ended told when its line is closed */
export function stageHere(ended: () => void = () => undefined): Line {
  const { port1, port2 } = new MessageChannel();
  answerStage(lineToOwner(port2));
  const line = lineToOwner(port1);
  return {
    ...line,
    close() {
      line.close();
      ended();
    },
  };
}
