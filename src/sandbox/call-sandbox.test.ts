import { afterEach, expect, it } from "vitest";
import { answerCalls } from "./answer-calls.ts";
import { callSandbox } from "./call-sandbox.ts";
import { inspectModule } from "./inspect/inspect-module.ts";
import { bytesModule, bytesOf, requestFor, wat } from "./wat.contract.ts";

const ports: MessagePort[] = [];
afterEach(() => {
  for (const port of ports.splice(0)) port.close();
});

function line(): readonly [MessagePort, MessagePort] {
  const { port1, port2 } = new MessageChannel();
  ports.push(port1, port2);
  return [port1, port2];
}

const ECHO = bytesModule(
  "local.get $in i64.extend_i32_u i64.const 32 i64.shl local.get $len i64.extend_i32_u i64.or",
);
const NOTHING = new Uint8Array(0);
const DIGEST = new Uint8Array(32);
const DONE = {
  kind: "done",
  output: NOTHING,
  fuel: 1n,
  stderr: NOTHING,
  inputSha256: DIGEST,
  outputSha256: DIGEST,
};

it("a thread says that it is up, loads, and answers tasks in their order", async () => {
  const [ours, theirs] = line();
  const sandbox = callSandbox(ours);
  answerCalls(theirs);
  await sandbox.up;
  const request = requestFor("bytes-1", {});
  expect(await sandbox.load(request.function.cid, await wat(ECHO))).toMatchObject({ kind: "loaded" });
  const inputs = ["one", "two", "three"].map(bytesOf);
  const results = await sandbox.runAll(inputs.map((input) => ({ ...request, input })));
  expect(results.map((result) => (result.kind === "done" ? result.output : result))).toEqual(inputs);
  await sandbox.forget(request.function.cid);
  expect(await sandbox.run(request)).toMatchObject({ kind: "failed" });
});

it.each([
  ["fewer results than tasks", []],
  ["no list", { length: 1, 0: DONE }],
  ["a result of no kind", [{}]],
  ["fuel below zero", [{ ...DONE, fuel: -1n }]],
  ["fuel as a number", [{ ...DONE, fuel: 1 }]],
  ["an output that is text", [{ ...DONE, output: "text" }]],
  ["a hash of another length", [{ ...DONE, outputSha256: NOTHING }]],
  ["a failure of no known code", [{ kind: "failed", code: 7, detail: "", fuel: 0n, stderr: NOTHING }]],
  ["a failure that explains itself with an object", [{ ...DONE, kind: "failed", code: 30001, detail: {} }]],
])("a thread that answers with %s is not believed", async (_what, value) => {
  const [ours, theirs] = line();
  const sandbox = callSandbox(ours);
  theirs.addEventListener("message", () => theirs.postMessage({ kind: "answer", call: 0, value }, []));
  theirs.start();
  await expect(sandbox.runAll([requestFor("bytes-1", {})])).rejects.toThrow("another shape");
});

it("words that are no answer, or answer what nobody asked, change nothing", async () => {
  const [ours, theirs] = line();
  const sandbox = callSandbox(ours);
  theirs.addEventListener("message", () => {
    for (const word of [null, 1, "text", {}, { kind: "answer" }, { kind: "answer", call: 99, value: [DONE] }])
      theirs.postMessage(word, []);
    theirs.postMessage({ kind: "answer", call: 0, value: [DONE] }, []);
  });
  theirs.start();
  expect(await sandbox.runAll([requestFor("bytes-1", {})])).toEqual([DONE]);
});

it("a thread looks at a function, and its answer arrives as it was", async () => {
  const [ours, theirs] = line();
  const sandbox = callSandbox(ours);
  answerCalls(theirs);
  const module = await wat(ECHO);
  expect(await sandbox.inspect(module, "")).toEqual(await inspectModule(module));
  const nothing = bytesOf("nothing");
  expect(await sandbox.inspect(nothing, "")).toEqual(await inspectModule(nothing));
});

it.each([
  ["no object", 7],
  ["a verdict of its own", { verdict: "splendid" }],
  ["a CID that is none", { cid: "x" }],
  ["reasons of no known code", { reasons: [{ code: 7, name: "", detail: "" }] }],
  ["a list that is none", { interfaces: {} }],
  ["a feature that nobody knows", { outline: { features: ["flying"] } }],
  ["an import without a name", { imports: [{ module: "", kind: "function", type: "", abis: [] }] }],
])("a thread that inspects and answers with %s is not believed", async (_what, change) => {
  const [ours, theirs] = line();
  const sandbox = callSandbox(ours);
  const real = await inspectModule(await wat(ECHO));
  const value = typeof change === "object" ? { ...real, ...change } : change;
  theirs.addEventListener("message", () => theirs.postMessage({ kind: "answer", call: 0, value }, []));
  theirs.start();
  await expect(sandbox.inspect(bytesOf(""), "")).rejects.toThrow("another shape");
});

it("a thread rests by the clock it was given, takes calls meanwhile, and without one says so", async () => {
  const [ours, theirs] = line();
  const sandbox = callSandbox(ours);
  const { promise: rested, resolve: wake } = Promise.withResolvers<void>();
  const asked: number[] = [];
  answerCalls(theirs, {
    rest: (ms) => {
      asked.push(ms);
      return rested;
    },
  });
  let isRested = false;
  const resting = sandbox.rest(250).then(() => (isRested = true));
  expect(await sandbox.load("f", await wat(ECHO))).toMatchObject({ kind: "loaded" });
  expect([asked, isRested]).toEqual([[250], false]);
  wake();
  expect(await resting).toBe(true);
  const [here, there] = line();
  answerCalls(there);
  await expect(callSandbox(here).rest(1)).rejects.toThrow("no clock");
});
