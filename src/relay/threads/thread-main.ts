/** Entry of a thread in which functions run: a sandbox for whoever started it. */
import { parentPort } from "node:worker_threads";
import { answerCalls } from "../../sandbox/answer-calls.ts";
import { portEndpoint } from "../../sandbox/port-endpoint.ts";
import { STACK_FRAMES } from "./limits.ts";

if (parentPort === null) throw new TypeError("this file is the entry of a worker thread");
Error.stackTraceLimit = STACK_FRAMES;
answerCalls(portEndpoint(parentPort));
