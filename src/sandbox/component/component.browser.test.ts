import { expect, it } from "vitest";
import { callSandbox } from "../call-sandbox.ts";
import { bytesOf, requestFor, text } from "../wat.contract.ts";

/** As in a tab: what runs in Node runs there. */
it.each(["component-c", "component-assemblyscript"])("%s runs in a browser's worker", async (name) => {
  const worker = new Worker(new URL("../../../workers/sandbox.worker.ts", import.meta.url), {
    type: "module",
  });
  const { port1, port2 } = new MessageChannel();
  worker.postMessage("line", [port2]);
  const sandbox = callSandbox(port1);
  const url = new URL(`../../../examples/${name}/summarise.wasm`, import.meta.url);
  const bytes = new Uint8Array(await (await fetch(url)).arrayBuffer());
  expect(await sandbox.load("c", bytes)).toMatchObject({ kind: "loaded" });
  const request = requestFor("bytes-1", { input: bytesOf('["déjà vu 😀"]') });
  const result = await sandbox.run({
    ...request,
    function: { cid: "c", abi: "component-1", entry: "summarise" },
  });
  if (result.kind === "failed") throw new Error(result.detail);
  expect(text(result.output)).toBe('{"words":3,"longest":"déjà","lengths":[4,2,1]}');
  worker.terminate();
});
