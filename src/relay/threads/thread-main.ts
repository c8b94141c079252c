/** Entry of a thread in which functions run: a sandbox for whoever started it. */
import { parentPort } from "node:worker_threads";
import { exposeSandbox } from "../../sandbox/expose-sandbox.ts";
import { portEndpoint } from "../../sandbox/port-endpoint.ts";
import { STACK_FRAMES } from "./limits.ts";

if (parentPort === null) throw new TypeError("this file is the entry of a worker thread");
Error.stackTraceLimit = STACK_FRAMES;
exposeSandbox(portEndpoint(parentPort));
parentPort.postMessage("ready", []);
