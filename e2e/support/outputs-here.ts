import { createSandbox } from "../../src/sandbox/sandbox.ts";
import type { TaskLimits } from "../../src/sandbox/task.ts";

/** Outputs of a function of the bytes interface, computed in this process. */
export async function outputsHere(
  module: Uint8Array,
  inputs: readonly Uint8Array[],
  limits: TaskLimits,
): Promise<readonly Uint8Array[]> {
  const sandbox = createSandbox();
  await sandbox.load("f", new Uint8Array(module));
  const outputs: Uint8Array[] = [];
  for (const input of inputs) {
    const result = await sandbox.run({
      function: { cid: "f", abi: "bytes-1", entry: "" },
      args: { args: [], env: {}, files: [] },
      input: new Uint8Array(input),
      seed: new Uint8Array(32),
      limits,
    });
    if (result.kind !== "done") throw new Error("an input failed here");
    outputs.push(result.output);
  }
  return outputs;
}

/** In hex, to be compared at a glance. */
export function hexOf(outputs: readonly Uint8Array[]): readonly string[] {
  return outputs.map((output) => Buffer.from(output).toString("hex"));
}
