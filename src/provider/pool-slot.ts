import type { TaskRequest, TaskResult } from "../sandbox/task.ts";
import type { ThreadDuty } from "./governor/thread-duty.ts";
import type { LoadingThread } from "./loading-thread.ts";
import type { SandboxThread } from "./sandbox-thread.ts";

export interface PoolTask {
  readonly request: TaskRequest;
  /** The function's module, for a thread that has not loaded it. */
  readonly module: Uint8Array;
  /** From the moment the thread turns to it. */
  readonly deadlineMs: number;
  /** Gives it back when it has not started, ends it when it has. */
  readonly signal: AbortSignal;
  /** The thread turns to it. Of tasks that go there together the first is told alone. */
  readonly onStart: () => void;
}

/** A result, and whether the task had started: one that had earns the start fee when cancelled. */
export type PoolResult = TaskResult;

export interface Entry extends PoolTask {
  readonly settle: (result: PoolResult) => void;
  started: boolean;
  settled: boolean;
  /** Was in a batch that did not come back, and runs by itself to find out whose fault that was. */
  isSuspect: boolean;
}

/** Tasks of one function that go to a thread together. */
export interface Batch {
  readonly entries: readonly Entry[];
  /** When the thread turned to it, by performance.now(). */
  begunAt: number;
}

/** A thread of the pool and what it has in hand. */
export interface Slot {
  readonly thread: SandboxThread;
  readonly duty: ThreadDuty;
  readonly loading: LoadingThread;
  /** The one it runs, and the next. */
  readonly batches: Batch[];
  /** What one task took lately; nothing is known of a new thread. */
  msPerTask: number;
  /** Ends what it runs when that takes too long. */
  timer: ReturnType<typeof setTimeout> | undefined;
  /** It rests or is measured, and gets nothing until then, by performance.now(). */
  held: { readonly until: number } | undefined;
  /** It is one too many: gets nothing more, and is ended when it has not done so by then. */
  leaving: ReturnType<typeof setTimeout> | undefined;
}

export function removeFrom<T>(list: T[], item: T): void {
  const index = list.indexOf(item);
  if (index >= 0) list.splice(index, 1);
}
