import { expect, it } from "vitest";
import { createSandbox } from "./sandbox.ts";
import type { TaskResult } from "./task.ts";
import { wasmStack } from "./wasm-stack.ts";
import { bytesModule, requestFor, wat } from "./wat.contract.ts";

function thrown(stack: string): Error {
  return Object.assign(new WebAssembly.RuntimeError("unreachable"), { stack });
}

it.each([
  [
    "V8",
    `RuntimeError: unreachable
    at inner (wasm://wasm/f1e2d3c4:wasm-function[3]:0x54)
    at outer<int>(int) (wasm://wasm/f1e2d3c4:wasm-function[2]:0x4a)
    at wasm://wasm/f1e2d3c4:wasm-function[1]:0x40
    at runTask (file:///run-task.ts:12:3)`,
    ["inner #3", "outer<int>(int) #2", "#1"],
  ],
  [
    "SpiderMonkey",
    `inner@https://example.org/worker.js line 3 > WebAssembly.Module:wasm-function[3]:0x54
wasm-function[2]@https://example.org/worker.js line 3 > WebAssembly.Module:wasm-function[2]:0x4a
run@https://example.org/worker.js:3:9`,
    ["inner #3", "#2"],
  ],
  [
    "JavaScriptCore",
    `inner@<?>:wasm-function[3]
(null)@<?>:wasm-function[2]
global code@run.js:3:66`,
    ["inner #3", "#2"],
  ],
  [
    "an older JavaScriptCore",
    `<?>.wasm-function[inner]@[wasm code]
<?>.wasm-function[2]@[wasm code]
wasm-stub@[wasm code]
run@worker.js:3:9`,
    ["inner", "#2"],
  ],
])("frames of %s name the functions", (_, stack, frames) => {
  expect(wasmStack(thrown(stack))).toEqual(frames);
});

it("what is no exception has no frames", () => {
  expect(wasmStack("unreachable")).toEqual([]);
});

async function run(source: string): Promise<TaskResult> {
  const sandbox = createSandbox();
  await sandbox.load("f", await wat(source));
  return sandbox.run(requestFor("bytes-1"));
}

it("a trap tells its stack by the names of the module, and no code of ours", async () => {
  const source = bytesModule(
    "call $outer i64.const 0",
    "(func $outer call $inner) (func $inner unreachable)",
  );
  expect(await run(source)).toMatchObject({
    kind: "failed",
    stack: ["inner #3", "outer #2", "run #1"],
    detail: "unreachable",
  });
});

function growing(body: string): string {
  return bytesModule(`i32.const 2 memory.grow drop ${body}`);
}

it("a task tells the largest memory it had, also when it trapped", async () => {
  expect(await run(growing("i64.const 0"))).toMatchObject({ kind: "done", peakMemoryBytes: 3 * 65_536 });
  expect(await run(growing("unreachable"))).toMatchObject({ kind: "failed", peakMemoryBytes: 3 * 65_536 });
});
