/** The thread in which models compute: no network and no storage; what it needs of a model's file it is handed by the page. */
import { answerWindow } from "../src/inference/host/answer-window.ts";

answerWindow();
