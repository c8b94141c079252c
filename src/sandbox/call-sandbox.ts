import type { Inspection } from "./inspect/inspect-module.ts";
import { readInspection } from "./inspect/read-inspection.ts";
import { readAnswer, readLoadResult, readResults } from "./read-answer.ts";
import type { RemoteSandbox, TaskRequest, TaskResult } from "./task.ts";
import type { ThreadCall, ThreadLine } from "./thread-message.ts";

/** A sandbox at the other end of a line. A call under way when its thread ends never settles; the thread's owner knows. */
export interface CalledSandbox extends RemoteSandbox {
  /** Resolves when the thread takes calls; those made before wait for it. */
  readonly up: Promise<void>;
  /** All that can be said of a function without running it. @param entry as for inspectModule */
  inspect(bytes: Uint8Array, entry: string): Promise<Inspection>;
  /** Resolves when the thread has rested for so many milliseconds by its own clock. */
  rest(ms: number): Promise<void>;
}

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

type Asked = ThreadCall extends infer Call ? (Call extends ThreadCall ? Omit<Call, "call"> : never) : never;

/** The owner's end of a line to a thread that runs `answerCalls`. */
export function callSandbox(line: ThreadLine): CalledSandbox {
  const waiting = new Map<number, Waiting>();
  const { promise: up, resolve: isUp } = Promise.withResolvers<void>();
  let calls = 0;
  line.addEventListener("message", ({ data }) => {
    const said = readAnswer(data);
    if (said === undefined) return;
    if (said.kind === "up") return isUp();
    const call = waiting.get(said.call);
    waiting.delete(said.call);
    if (said.kind === "answer") call?.resolve(said.value);
    else call?.reject(new Error(said.reason));
  });
  line.start?.();

  async function ask<T>(asked: Asked, read: (value: unknown) => T | undefined): Promise<T> {
    const call = calls;
    calls += 1;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    waiting.set(call, { resolve, reject });
    line.postMessage({ ...asked, call }, []);
    const value = read(await promise);
    if (value === undefined) throw new TypeError("the thread gave an answer of another shape");
    return value;
  }

  const runAll = (requests: readonly TaskRequest[]): Promise<readonly TaskResult[]> =>
    ask({ kind: "run", requests }, (value) => readResults(value, requests.length));
  return {
    up,
    load: (cid, bytes) => ask({ kind: "load", cid, bytes }, readLoadResult),
    runAll,
    inspect: (bytes, entry) => ask({ kind: "inspect", bytes, entry }, readInspection),
    async run(request) {
      const [result] = await runAll([request]);
      if (result === undefined) throw new TypeError("the thread gave no result");
      return result;
    },
    async rest(ms) {
      await ask({ kind: "rest", ms }, () => true);
    },
    async forget(cid) {
      await ask({ kind: "forget", cid }, () => true);
    },
  };
}
