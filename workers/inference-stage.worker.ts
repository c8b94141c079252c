/** A thread that holds some layers of a model: no network and no storage; what it needs it is sent by who started it. */
import { answerStage } from "../src/inference/stages/answer-stage.ts";
import { lineToOwner } from "../src/inference/stages/line.ts";

answerStage(lineToOwner(globalThis));
