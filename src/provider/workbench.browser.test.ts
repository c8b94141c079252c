import { afterEach, expect, it } from "vitest";
import { failureCode } from "../protocol/failure-code.ts";
import { bytesModule, bytesOf, requestFor, text, wasiModule, wat } from "../sandbox/wat.contract.ts";
import { openWorkbench, type Trial, type Workbench } from "./workbench.ts";

const FILES = { frame: "/sandbox.html", script: "/workers/sandbox.worker.ts" };
const ECHO = bytesModule(
  "local.get $in i64.extend_i32_u i64.const 32 i64.shl local.get $len i64.extend_i32_u i64.or",
);
const ENDLESS = bytesModule("(loop (br 0)) unreachable");
const NEVER = new AbortController().signal;

const open: Workbench[] = [];
afterEach(() => {
  for (const bench of open.splice(0)) bench.close();
});

function workbench(files: Partial<typeof FILES> = {}): Workbench {
  const bench = openWorkbench({ ...FILES, ...files });
  open.push(bench);
  return bench;
}

async function trialOf(source: string, input = "", changes: Partial<Trial> = {}): Promise<Trial> {
  const request = requestFor("bytes-1", { input: bytesOf(input) });
  return {
    request: { ...request, function: { ...request.function, cid: source } },
    module: await wat(source),
    deadlineMs: 20_000,
    ...changes,
  };
}

it("a function is looked at in a thread, and what is wrong with it has a reason", async () => {
  const bench = workbench();
  const fine = await bench.inspect(await wat(ECHO), "", NEVER);
  expect(fine).toMatchObject({ verdict: "accepted", kind: "module", reasons: [] });
  expect(fine.interfaces.filter(({ fits }) => fits).map(({ abi }) => abi)).toEqual(["bytes-1"]);
  const greedy = await wat(wasiModule('(import "env" "steal" (func))', ""));
  const refused = await bench.inspect(greedy, "", NEVER);
  expect(refused.verdict).toBe("refused");
  expect(refused.reasons[0]).toMatchObject({ name: "import-refused", detail: "env.steal" });
});

it("tasks run one after the other, and give back output, fuel and what it took", async () => {
  const bench = workbench();
  const ends = await Promise.all(
    ["one", "two"].map(async (input) => bench.run(await trialOf(ECHO, input), NEVER)),
  );
  expect(ends.map(({ result }) => (result.kind === "done" ? text(result.output) : result))).toEqual([
    "one",
    "two",
  ]);
  expect(ends[0]?.result.fuel).toBeGreaterThan(0n);
  expect(ends[0]?.result.fuel).toBe(ends[1]?.result.fuel);
});

it("an endless one is ended at its deadline, and the next one runs", async () => {
  const bench = workbench();
  const endless = await trialOf(ENDLESS, "", { deadlineMs: 300 });
  const limitless = { ...endless.request, limits: { ...endless.request.limits, fuel: 1n << 60n } };
  const { result } = await bench.run({ ...endless, request: limitless }, NEVER);
  expect(result).toMatchObject({ kind: "failed", code: failureCode("deadline") });
  const next = await bench.run(await trialOf(ECHO, "after"), NEVER);
  expect(next.result.kind).toBe("done");
});

it("what was cancelled ends at once, and the next one runs", async () => {
  const bench = workbench();
  const stop = new AbortController();
  const endless = await trialOf(ENDLESS);
  const limitless = { ...endless.request, limits: { ...endless.request.limits, fuel: 1n << 60n } };
  const running = bench.run({ ...endless, request: limitless }, stop.signal);
  setTimeout(() => stop.abort(new Error("the person left")), 200);
  await expect(running).rejects.toThrow("the person left");
  expect((await bench.run(await trialOf(ECHO, "after"), NEVER)).result.kind).toBe("done");
});

it("a module that is none fails as a result, and nothing is held of it", async () => {
  const bench = workbench();
  const broken = await trialOf(ECHO, "", { module: bytesOf("no module") });
  expect((await bench.run(broken, NEVER)).result).toMatchObject({
    kind: "failed",
    code: failureCode("invalid-module"),
  });
  expect((await bench.run(await trialOf(ECHO, "fine"), NEVER)).result.kind).toBe("done");
});

it("without the thread's script it says so", async () => {
  const bench = workbench({ script: "/nowhere/sandbox.worker.ts?missing" });
  const { result } = await bench.run(await trialOf(ECHO), NEVER);
  expect(result).toMatchObject({ kind: "failed", code: failureCode("worker-lost") });
  await expect(bench.inspect(await wat(ECHO), "", NEVER)).rejects.toThrow("Unexpected token");
});
