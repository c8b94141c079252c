import { type Remote, wrap } from "comlink";
import { sandboxContract } from "./sandbox.contract.ts";
import type { Sandbox } from "./task.ts";

sandboxContract("a browser's worker", async () => {
  const worker = new Worker(new URL("../../workers/sandbox.worker.ts", import.meta.url), { type: "module" });
  const remote: Remote<Sandbox> = wrap<Sandbox>(worker);
  const sandbox: Sandbox = {
    load: (cid, bytes) => remote.load(cid, bytes),
    run: (request) => remote.run(request),
    forget: (cid) => remote.forget(cid),
  };
  return { sandbox, stop: () => worker.terminate() };
});
