import { inspectModule } from "./inspect/inspect-module.ts";
import { createSandbox } from "./sandbox.ts";
import type { Sandbox, TaskResult } from "./task.ts";
import type { ThreadAnswer, ThreadCall, ThreadLine } from "./thread-message.ts";
import { warmUp } from "./warm-up.ts";

/** From here on moving a buffer to the other thread costs less than copying it. */
const TRANSFER_BYTES: number = 16 * 1024;

/**
 * Makes this thread a sandbox for whoever holds the other end of the line, by `callSandbox`.
 * @param warm prepares for the first function while nobody calls; see warm-up.ts
 */
export function answerCalls(line: ThreadLine, { warm = false }: { readonly warm?: boolean } = {}): void {
  const sandbox = createSandbox();
  let isCalled = false;
  line.addEventListener("message", ({ data }) => {
    if (!isCall(data)) return;
    isCalled = true;
    void answer(line, sandbox, data);
  });
  line.start?.();
  post(line, { kind: "up" });
  if (warm) void warmUp(sandbox, () => isCalled);
}

async function answer(line: ThreadLine, sandbox: Sandbox, call: ThreadCall): Promise<void> {
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
    const reason = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    return post(line, { kind: "broken", call: id, reason });
  }
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
