import { inspectModule } from "./inspect/inspect-module.ts";
import { createSandbox } from "./sandbox.ts";
import type { Sandbox, TaskResult } from "./task.ts";
import type { ThreadAnswer, ThreadCall, ThreadLine } from "./thread-message.ts";
import { warmUp } from "./warm-up.ts";

/** From here on moving a buffer to the other thread costs less than copying it. */
const TRANSFER_BYTES: number = 16 * 1024;

export interface ThreadOptions {
  /** Prepares for the first function while nobody calls; see warm-up.ts. */
  readonly warm?: boolean;
  /** This thread's clock: resolves after so many milliseconds. Without it the thread cannot be asked to rest. */
  readonly rest?: (ms: number) => Promise<void>;
}

/** Makes this thread a sandbox for whoever holds the other end of the line, by `callSandbox`. */
export function answerCalls(line: ThreadLine, { warm = false, rest = restless }: ThreadOptions = {}): void {
  const sandbox = createSandbox();
  let isCalled = false;
  line.addEventListener("message", ({ data }) => {
    if (!isCall(data)) return;
    isCalled = true;
    if (data.kind === "rest") void answerRest(line, data, rest);
    else void answer(line, sandbox, data);
  });
  line.start?.();
  post(line, { kind: "up" });
  if (warm) void warmUp(sandbox, () => isCalled);
}

function restless(): Promise<void> {
  return Promise.reject(new TypeError("this thread has no clock"));
}

async function answerRest(
  line: ThreadLine,
  { call, ms }: Extract<ThreadCall, { kind: "rest" }>,
  rest: (ms: number) => Promise<void>,
): Promise<void> {
  try {
    await rest(ms);
    post(line, { kind: "answer", call, value: undefined });
  } catch (error) {
    post(line, { kind: "broken", call, reason: reasonOf(error) });
  }
}

async function answer(
  line: ThreadLine,
  sandbox: Sandbox,
  call: Exclude<ThreadCall, { kind: "rest" }>,
): Promise<void> {
  const id = call.call;
  try {
    switch (call.kind) {
      case "load":
        return post(line, { kind: "answer", call: id, value: await sandbox.load(call.cid, call.bytes) });
      case "forget":
        return post(line, { kind: "answer", call: id, value: await sandbox.forget(call.cid) });
      case "inspect":
        return post(line, {
          kind: "answer",
          call: id,
          value: await inspectModule(call.bytes, call.entry),
        });
      case "run": {
        const results: TaskResult[] = [];
        // oxlint-disable-next-line no-await-in-loop -- one thread runs one after the other
        for (const request of call.requests) results.push(await sandbox.run(request));
        return post(line, { kind: "answer", call: id, value: results }, results.flatMap(largeBuffers));
      }
      default:
        return call satisfies never;
    }
  } catch (error) {
    return post(line, { kind: "broken", call: id, reason: reasonOf(error) });
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

function post(line: ThreadLine, message: ThreadAnswer, transfer: Transferable[] = []): void {
  line.postMessage(message, transfer);
}

/** The owner is our own code; this only keeps apart what else may come over a line. */
function isCall(data: unknown): data is ThreadCall {
  return typeof data === "object" && data !== null && "call" in data && "kind" in data;
}

function largeBuffers(result: TaskResult): ArrayBuffer[] {
  if (result.kind === "failed" || result.output.length < TRANSFER_BYTES) return [];
  return result.output.buffer instanceof ArrayBuffer ? [result.output.buffer] : [];
}
