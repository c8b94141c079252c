import { Worker } from "node:worker_threads";
import { callSandbox } from "./call-sandbox.ts";
import { portEndpoint } from "./port-endpoint.ts";
import { sandboxContract } from "./sandbox.contract.ts";
import { createSandbox } from "./sandbox.ts";

sandboxContract("the calling thread", async () => ({ sandbox: createSandbox(), stop: () => undefined }));

function moduleHref(file: string): string {
  return JSON.stringify(new URL(file, import.meta.url).href);
}

const THREAD = `
  const { parentPort } = require("node:worker_threads");
  Promise.all([import(${moduleHref("answer-calls.ts")}), import(${moduleHref("port-endpoint.ts")})])
    .then(([{ answerCalls }, { portEndpoint }]) => answerCalls(portEndpoint(parentPort)));
`;

sandboxContract("a Node worker thread", async () => {
  const thread = new Worker(THREAD, { eval: true });
  return { sandbox: callSandbox(portEndpoint(thread)), stop: async () => void (await thread.terminate()) };
});
