import { Worker } from "node:worker_threads";
import { type Remote, wrap } from "comlink";
import { portEndpoint } from "./port-endpoint.ts";
import { sandboxContract } from "./sandbox.contract.ts";
import { createSandbox } from "./sandbox.ts";
import type { Sandbox } from "./task.ts";

sandboxContract("the calling thread", async () => ({ sandbox: createSandbox(), stop: () => undefined }));

function moduleHref(file: string): string {
  return JSON.stringify(new URL(file, import.meta.url).href);
}

const THREAD = `
  const { parentPort } = require("node:worker_threads");
  Promise.all([import(${moduleHref("expose-sandbox.ts")}), import(${moduleHref("port-endpoint.ts")})])
    .then(([{ exposeSandbox }, { portEndpoint }]) => exposeSandbox(portEndpoint(parentPort)));
`;

sandboxContract("a Node worker thread", async () => {
  const thread = new Worker(THREAD, { eval: true });
  const remote: Remote<Sandbox> = wrap<Sandbox>(portEndpoint(thread));
  const sandbox: Sandbox = {
    load: (cid, bytes) => remote.load(cid, bytes),
    run: (request) => remote.run(request),
    forget: (cid) => remote.forget(cid),
  };
  return { sandbox, stop: async () => void (await thread.terminate()) };
});
