import { afterEach, expect, it } from "vitest";
import { bytesModule, bytesOf, requestFor, text, wat } from "../sandbox/wat.contract.ts";
import { type SandboxFiles } from "./thread-host.ts";
import { ThreadStarter } from "./thread-starter.ts";

const FILES: SandboxFiles = { frame: "/sandbox.html", script: "/workers/sandbox.worker.ts" };
const ECHO = bytesModule(
  "local.get $in i64.extend_i32_u i64.const 32 i64.shl local.get $len i64.extend_i32_u i64.or",
);

const open: ThreadStarter[] = [];

function starterOf(files: Partial<SandboxFiles> = {}): ThreadStarter {
  const starter = new ThreadStarter({ ...FILES, ...files });
  open.push(starter);
  return starter;
}

afterEach(() => {
  for (const starter of open.splice(0)) starter.close();
});

async function echoOn(starter: ThreadStarter, input: string): Promise<string> {
  const thread = starter.start();
  const request = requestFor("bytes-1", { input: bytesOf(input) });
  await thread.load(request.function.cid, await wat(ECHO));
  const [result] = await thread.runAll([request]);
  thread.terminate();
  return result?.kind === "done" ? text(result.output) : `failed: ${result?.detail}`;
}

it("threads live in a frame of their own and answer", async () => {
  const starter = starterOf();
  expect(await echoOn(starter, "from the frame")).toBe("from the frame");
  expect(starter.isolation).toBe("frame");
  expect(document.querySelectorAll("iframe[sandbox='allow-scripts']")).toHaveLength(1);
});

it("an output of fifty kilobytes comes back whole", async () => {
  const input = "0123456789".repeat(5_000);
  expect(await echoOn(starterOf(), input)).toBe(input);
});

it("threads that were started ahead work like others", async () => {
  const starter = starterOf();
  expect(await starter.open()).toBe(true);
  expect(await Promise.all(["one", "two", "three"].map((input) => echoOn(starter, input)))).toEqual([
    "one",
    "two",
    "three",
  ]);
});

it("without the frame they live under the page's origin, and say so", async () => {
  const starter = starterOf({ frame: "/nothing-here.html" });
  expect(await echoOn(starter, "from a worker")).toBe("from a worker");
  expect(starter.isolation).toBe("worker");
});

it("a frame that still has the page's origin is refused", async () => {
  const { openSandboxFrame } = await import("./sandbox-frame.ts");
  expect(await openSandboxFrame(FILES.frame, "", "header")).toBeUndefined();
});

it("a thread that dies by itself tells, and the next one works", async () => {
  const starter = starterOf({ script: "data:text/javascript,throw new Error('broken on purpose')" });
  const thread = starter.start();
  const reason = await new Promise<string>((resolve) => thread.onDeath(resolve));
  expect(reason).not.toBe("");
  expect(await echoOn(starterOf(), "again")).toBe("again");
});

it("a lost frame takes its threads along, and another is opened for the next", async () => {
  const starter = starterOf();
  expect(await echoOn(starter, "one")).toBe("one");
  const thread = starter.start();
  const died = new Promise<string>((resolve) => thread.onDeath(resolve));
  document.querySelector("iframe[sandbox]")?.remove();
  expect(await died).not.toBe("");
  expect(await echoOn(starter, "two")).toBe("two");
});
