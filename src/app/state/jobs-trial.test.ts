import { describe, expect, it } from "vitest";
import { cidOf, RAW } from "../../protocol/cid.ts";
import { failureCode, type FailureName } from "../../protocol/failure-code.ts";
import type { TaskResult } from "../../provider/workbench.ts";
import { createSandbox } from "../../sandbox/sandbox.ts";
import { bytesModule, bytesOf, wasiModule, wat } from "../../sandbox/wat.contract.ts";
import { isSame, logOf, measuredWith, samplePlaces, trialOf } from "./jobs-trial.ts";

const SEED = new Uint8Array(32).fill(3);
const ECHO = bytesModule(
  "local.get $in i64.extend_i32_u i64.const 32 i64.shl local.get $len i64.extend_i32_u i64.or",
);

async function run(source: string, input: string, options = {}): Promise<TaskResult> {
  const module = await wat(source);
  const cid = cidOf(RAW, module);
  const { request } = trialOf({ cid, module }, options, bytesOf(input), SEED);
  const sandbox = createSandbox();
  await sandbox.load(cid, module);
  return sandbox.run(request);
}

function failedWith(name: FailureName, fuel = 5n): TaskResult {
  return { kind: "failed", code: failureCode(name), detail: "", fuel, stderr: new Uint8Array(0) };
}

describe("a task computed here", () => {
  it("is the task a provider gets: interface guessed, input and limits as given", async () => {
    const module = await wat(ECHO);
    const input = bytesOf("abc");
    const { request, deadlineMs } = trialOf(
      { cid: cidOf(RAW, module), module },
      { fuel: 7n, memoryBytes: 1, deadlineMs: 9, args: ["x"] },
      input,
      SEED,
    );
    expect(request.function.abi).toBe("bytes-1");
    expect(request).toMatchObject({
      limits: { fuel: 7n, memoryBytes: 1 },
      args: { args: ["x"] },
      seed: SEED,
    });
    expect(deadlineMs).toBe(9);
    // It is given away to the thread, and the caller keeps its own.
    expect(request.input).toEqual(input);
    expect(request.input.buffer).not.toBe(input.buffer);
  });

  it("is the same as what was signed only with the same output for the same fuel", async () => {
    const result = await run(ECHO, "hello");
    const signed = { kind: "done", outputCid: cidOf(RAW, bytesOf("hello")), fuel: result.fuel } as const;
    expect(isSame(result, signed)).toBe(true);
    expect(isSame(result, { ...signed, fuel: result.fuel + 1n })).toBe(false);
    expect(isSame(result, { ...signed, outputCid: cidOf(RAW, bytesOf("hallo")) })).toBe(false);
    expect(isSame(result, { kind: "failed", code: 30_003, fuel: result.fuel })).toBe(false);
  });

  it("a failure is the same only with its code", async () => {
    const result = await run(bytesModule("unreachable"), "");
    expect(result.kind).toBe("failed");
    const signed = { kind: "failed", code: failureCode("trap-unreachable"), fuel: result.fuel } as const;
    expect(isSame(result, signed)).toBe(true);
    expect(isSame(result, { ...signed, code: failureCode("out-of-fuel") })).toBe(false);
  });

  it("its log is what the program wrote to its standard error", async () => {
    const write =
      '(import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))';
    const body = `(i32.store (i32.const 0) (i32.const 16)) (i32.store (i32.const 4) (i32.const 6))
      (drop (call $write (i32.const 2) (i32.const 0) (i32.const 1) (i32.const 8)))`;
    const result = await run(wasiModule(write, body, '(data (i32.const 16) "oh my\\n")'), "");
    expect(logOf(result)).toBe("oh my");
  });
});

describe("what tried inputs tell", () => {
  it("is added up; a failure of the function counts, since it is paid", async () => {
    const first = measuredWith(undefined, await run(ECHO, "four"));
    const both = measuredWith(first, failedWith("trap-unreachable", 1_000_000n));
    expect(first).toMatchObject({ samples: 1, failed: 0, outputBytes: 4 });
    expect(both).toEqual({
      samples: 2,
      failed: 1,
      fuel: (first?.fuel ?? 0n) + 1_000_000n,
      mostFuel: 1_000_000n,
      outputBytes: 4,
    });
  });

  it("a limit of this machine tells nothing", () => {
    expect(measuredWith(undefined, failedWith("deadline"))).toBeUndefined();
    expect(measuredWith(undefined, failedWith("worker-lost"))).toBeUndefined();
  });

  it("further inputs are spread evenly, each once, and not the first again", () => {
    expect(samplePlaces(144, 72)).toEqual([18, 54, 90, 126]);
    expect(samplePlaces(144, 18)).toEqual([54, 90, 126]);
    expect(samplePlaces(1, 0)).toEqual([]);
    expect(samplePlaces(2, 0)).toEqual([1]);
    for (const place of samplePlaces(7, 3)) expect(place).toBeLessThan(7);
  });
});
