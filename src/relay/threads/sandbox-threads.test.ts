import { afterEach, describe, expect, it } from "vitest";
import { failureKind } from "../../protocol/failure-code.ts";
import { createSandbox } from "../../sandbox/sandbox.ts";
import type { TaskRequest } from "../../sandbox/task.ts";
import { bytesModule, bytesOf, requestFor, wasiModule, wat } from "../../sandbox/wat.contract.ts";
import {
  type SandboxThreads,
  startSandboxThreads,
  type ThreadEnd,
  type ThreadsOptions,
} from "./sandbox-threads.ts";

const MIB = 1024 * 1024;
const ECHO = await wat(
  bytesModule("local.get $in i64.extend_i32_u i64.const 32 i64.shl local.get $len i64.extend_i32_u i64.or"),
);
const HANG = await wat(bytesModule("(loop $l br $l) i64.const 0"));
/** Takes 256 MiB and touches all of it. */
const GREEDY = await wat(
  bytesModule(
    `i32.const 4095 memory.grow drop i32.const 0 i32.const 7 i32.const 0x10000000 memory.fill i64.const 0`,
  ).replace("1 4", "1"),
);

const started: SandboxThreads[] = [];
afterEach(async () => {
  await Promise.all(started.splice(0).map((threads) => threads.stop()));
});

function start(options: Partial<ThreadsOptions> = {}): SandboxThreads {
  const threads = startSandboxThreads({ threads: 1, ...options });
  started.push(threads);
  return threads;
}

function taskOf(module: Uint8Array, cid: string, changes: Partial<TaskRequest> = {}) {
  const request = requestFor("bytes-1", changes);
  return { module, deadlineMs: 20_000, request: { ...request, function: { ...request.function, cid } } };
}

function nameOf({ result }: ThreadEnd): string {
  return result.kind === "done" ? "done" : failureKind(result.code).name;
}

describe("threads of a Node process that run functions", () => {
  it.each([
    [
      "an echo",
      "bytes-1",
      bytesModule("local.get $in i64.extend_i32_u i64.const 32 i64.shl i64.const 5 i64.or"),
    ],
    ["a trap", "bytes-1", bytesModule("local.get $len i32.const 0 i32.div_u drop i64.const 0")],
    [
      "an exit code",
      "wasi-p1",
      wasiModule(`(import "wasi_snapshot_preview1" "proc_exit" (func (param i32)))`, "i32.const 3 call 0"),
    ],
    ["endless work", "bytes-1", bytesModule("(loop $l br $l) i64.const 0")],
  ] as const)("%s has the outcome, fuel and hash that it has in this thread", async (_, abi, source) => {
    const module = await wat(source);
    const request = {
      ...requestFor(abi, { input: bytesOf("hello") }),
      function: { cid: "f", abi, entry: "" },
    };
    const here = createSandbox();
    await here.load("f", module);
    const { result, isFuelKnown } = await start().run({ request, module, deadlineMs: 20_000 });
    const { stack: _there, ...there } = { stack: undefined, ...result };
    const { stack: _here, ...expected } = { stack: undefined, ...(await here.run(request)) };
    expect(there).toEqual(expected);
    expect(isFuelKnown).toBe(true);
  });

  it("a task past its deadline is killed, with fuel that nobody knows, and the next one runs", async () => {
    const threads = start();
    const endless = taskOf(HANG, "hang", { limits: { fuel: 1n << 62n, memoryBytes: MIB, outputBytes: 1 } });
    const killed = await threads.run({ ...endless, deadlineMs: 200 });
    expect([nameOf(killed), killed.isFuelKnown]).toEqual(["deadline", false]);
    expect(nameOf(await threads.run(taskOf(ECHO, "echo")))).toBe("done");
  });

  it("several tasks run at once, and one that hangs holds nobody up but its thread", async () => {
    const threads = start({ threads: 2 });
    const endless = taskOf(HANG, "hang", { limits: { fuel: 1n << 62n, memoryBytes: MIB, outputBytes: 1 } });
    const abort = new AbortController();
    const hanging = threads.run({ ...endless, signal: abort.signal });
    const others = await Promise.all(Array.from({ length: 5 }, () => threads.run(taskOf(ECHO, "echo"))));
    expect(others.map(nameOf)).toEqual(Array(5).fill("done"));
    abort.abort();
    expect(nameOf(await hanging)).toBe("cancelled");
  });

  it("a function is loaded once by a thread", async () => {
    const threads = start();
    const first = await threads.run(taskOf(ECHO, "echo"));
    const second = await threads.run(taskOf(ECHO, "echo"));
    expect([first.loadMs > 0, second.loadMs]).toEqual([true, 0]);
  });

  it("a module that is none is refused as such", async () => {
    const { result } = await start().run(taskOf(bytesOf("not wasm"), "bad"));
    expect(result).toMatchObject({ kind: "failed", fuel: 0n, detail: expect.stringMatching(/magic/) });
  });

  it("more bytes than may wait are declined", async () => {
    const threads = start({ waitingBytes: 1_000 });
    const end = await threads.run(taskOf(ECHO, "echo", { input: new Uint8Array(1_000) }));
    expect(nameOf(end)).toBe("declined");
    expect(nameOf(await threads.run(taskOf(ECHO, "echo")))).toBe("done");
  });

  it("a thread that dies says so, and the next task has another", async () => {
    const threads = start({ heapMib: 24 });
    const many = Array.from(
      { length: 60_000 },
      (_, i) => `(export "${"an export with a long name ".repeat(8)}${i}" (func $run))`,
    ).join("");
    const large = await wat(bytesModule("i64.const 0", many));
    const end = await threads.run(taskOf(large, "large"));
    expect([nameOf(end), end.isFuelKnown]).toEqual(["worker-lost", false]);
    expect(nameOf(await threads.run(taskOf(ECHO, "echo")))).toBe("done");
  });

  it("memory of tasks is given back, while the thread runs and after it ended", async () => {
    const threads = start();
    await threads.run(
      taskOf(GREEDY, "greedy", { limits: { fuel: 1n << 40n, memoryBytes: MIB, outputBytes: 1 } }),
    );
    const before = process.memoryUsage.rss();
    for (let i = 0; i < 12; i += 1) {
      const limits = { fuel: 1n << 40n, memoryBytes: 256 * MIB, outputBytes: 1 };
      expect(nameOf(await threads.run(taskOf(GREEDY, "greedy", { limits })))).toBe("done");
    }
    // Twelve of them would be three GiB.
    expect(process.memoryUsage.rss() - before).toBeLessThan(1536 * MIB);
    await threads.stop();
    expect(process.memoryUsage.rss() - before).toBeLessThan(200 * MIB);
  });

  it("stopping settles what runs and what waits", async () => {
    const threads = start();
    const endless = taskOf(HANG, "hang", { limits: { fuel: 1n << 62n, memoryBytes: MIB, outputBytes: 1 } });
    const open = [threads.run(endless), threads.run(taskOf(ECHO, "echo"))];
    await threads.stop();
    expect((await Promise.all(open)).map(nameOf)).toEqual(["draining", "draining"]);
    expect(nameOf(await threads.run(taskOf(ECHO, "echo")))).toBe("draining");
  });
});
