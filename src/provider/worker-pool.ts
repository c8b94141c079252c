import { failureCode, failureKind, type FailureName } from "../protocol/failure-code.ts";
import type { TaskRequest, TaskResult } from "../sandbox/task.ts";
import type { SandboxThread } from "./sandbox-thread.ts";

export interface PoolTask {
  readonly request: TaskRequest;
  /** The function's module, for a thread that has not loaded it. */
  readonly module: Uint8Array;
  /** From the moment the thread turns to it. */
  readonly deadlineMs: number;
  /** Gives it back when it has not started, ends it when it has. */
  readonly signal: AbortSignal;
  /** The thread turns to it. */
  readonly onStart: () => void;
}

/** A result, and whether the task had started: one that had earns the start fee when cancelled. */
export type PoolResult = TaskResult;

interface Entry extends PoolTask {
  readonly settle: (result: PoolResult) => void;
  started: boolean;
  settled: boolean;
}

/** Tasks a thread holds: the one it runs and the next, so that it never waits for the window's thread. */
const TASKS_PER_THREAD = 2;

interface Slot {
  readonly thread: SandboxThread;
  readonly loaded: Map<string, Promise<PoolResult | undefined>>;
  readonly entries: Entry[];
  timer: ReturnType<typeof setTimeout> | undefined;
}

const NO_BYTES = new Uint8Array(0);

function failed(name: FailureName, detail: string): PoolResult {
  return {
    kind: "failed",
    code: failureCode(name),
    detail,
    fuel: 0n,
    stderr: NO_BYTES,
    inputSha256: NO_BYTES,
  };
}

/** Runs tasks on up to `size` threads, first come first served, each within its deadline. */
export class WorkerPool {
  readonly #startThread: () => SandboxThread;
  readonly #slots: Slot[] = [];
  readonly #queue: Entry[] = [];
  #size: number;
  #stopped = false;

  constructor(startThread: () => SandboxThread, size: number) {
    this.#startThread = startThread;
    this.#size = size;
  }

  get size(): number {
    return this.#size;
  }

  /** Threads that would turn to a new task at once. */
  get free(): number {
    const busy = this.#slots.filter((slot) => slot.entries.length > 0).length;
    return Math.max(0, this.#size - busy - this.#queue.length);
  }

  /** Fewer threads end when they have finished what they hold. */
  setSize(size: number): void {
    this.#size = Math.max(1, size);
    this.#retire();
    this.#assign();
  }

  /** Never rejects: what goes wrong is a result. */
  run(task: PoolTask): Promise<PoolResult> {
    const { promise, resolve } = Promise.withResolvers<PoolResult>();
    const entry: Entry = { ...task, started: false, settled: false, settle: resolve };
    if (this.#stopped) return Promise.resolve(failed("draining", "the provider is stopping"));
    if (task.signal.aborted) return Promise.resolve(failed("not-started", "cancelled before it started"));
    task.signal.addEventListener("abort", () => this.#abort(entry), { once: true });
    this.#queue.push(entry);
    this.#assign();
    return promise;
  }

  /** Ends every thread; what runs or waits is settled as returned. */
  stop(): void {
    this.#stopped = true;
    const open = [...this.#slots.flatMap((slot) => slot.entries), ...this.#queue];
    for (const slot of this.#slots) this.#end(slot);
    this.#slots.length = 0;
    this.#queue.length = 0;
    for (const entry of open) this.#settle(entry, failed("draining", "the provider is stopping"));
  }

  #settle(entry: Entry, result: PoolResult): void {
    if (entry.settled) return;
    entry.settled = true;
    entry.settle(result);
  }

  #abort(entry: Entry): void {
    if (entry.settled) return;
    if (entry.started) {
      const slot = this.#slots.find((each) => each.entries[0] === entry);
      if (slot !== undefined) this.#replace(slot, failed("cancelled", "cancelled by the requester"));
      return;
    }
    removeFrom(this.#queue, entry);
    this.#settle(entry, failed("not-started", "cancelled before it started"));
  }

  #assign(): void {
    while (this.#queue.length > 0 && !this.#stopped) {
      const slot = this.#leastBusy();
      if (slot === undefined) return;
      const entry = this.#queue.shift();
      if (entry === undefined) return;
      slot.entries.push(entry);
      void this.#feed(slot, entry);
    }
  }

  #leastBusy(): Slot | undefined {
    const idle = this.#slots.find((slot) => slot.entries.length === 0);
    if (idle !== undefined) return idle;
    if (this.#slots.length < this.#size) return this.#open();
    return this.#slots
      .filter((slot) => slot.entries.length < TASKS_PER_THREAD)
      .toSorted((a, b) => a.entries.length - b.entries.length)[0];
  }

  #open(): Slot {
    const slot: Slot = { thread: this.#startThread(), loaded: new Map(), entries: [], timer: undefined };
    slot.thread.onDeath((reason) => this.#replace(slot, failed("worker-lost", reason)));
    this.#slots.push(slot);
    return slot;
  }

  #end(slot: Slot): void {
    clearTimeout(slot.timer);
    slot.thread.terminate();
  }

  /** The thread is gone or must go: its first task ends with `result`, the rest are given to others. */
  #replace(slot: Slot, result: PoolResult): void {
    if (!this.#slots.includes(slot)) return;
    this.#end(slot);
    removeFrom(this.#slots, slot);
    const [first, ...rest] = slot.entries;
    slot.entries.length = 0;
    this.#queue.unshift(...rest);
    if (first !== undefined) this.#settle(first, result);
    this.#assign();
  }

  #retire(): void {
    for (const slot of this.#slots.filter((each) => each.entries.length === 0)) {
      if (this.#slots.length <= this.#size) return;
      this.#end(slot);
      removeFrom(this.#slots, slot);
    }
  }

  /** Loads the function if need be, and runs the task; both calls wait in the thread's own queue behind the task before. */
  async #feed(slot: Slot, entry: Entry): Promise<void> {
    if (slot.entries[0] === entry) this.#begin(slot, entry);
    let result: PoolResult;
    try {
      result = await this.#runLoaded(slot, entry);
      if (result.kind === "failed" && result.code === failureCode("function-unavailable")) {
        // The thread let go of the function to make room for others.
        slot.loaded.clear();
        result = await this.#runLoaded(slot, entry);
      }
    } catch (error) {
      result = failed("worker-lost", error instanceof Error ? error.message : "the thread failed");
    }
    if (!this.#slots.includes(slot)) return;
    this.#finished(slot, entry, result);
  }

  #finished(slot: Slot, entry: Entry, result: PoolResult): void {
    removeFrom(slot.entries, entry);
    clearTimeout(slot.timer);
    this.#settle(entry, result);
    const [next] = slot.entries;
    if (next !== undefined) this.#begin(slot, next);
    this.#retire();
    this.#assign();
  }

  #begin(slot: Slot, entry: Entry): void {
    if (entry.settled) {
      // Given back while it waited in this thread, which would now run it for nobody.
      this.#replace(slot, failed("not-started", "cancelled before it started"));
      return;
    }
    entry.started = true;
    entry.onStart();
    slot.timer = setTimeout(() => {
      this.#replace(slot, failed("deadline", `longer than ${entry.deadlineMs} ms`));
    }, entry.deadlineMs);
  }

  async #runLoaded(slot: Slot, entry: Entry): Promise<PoolResult> {
    return (await this.#load(slot, entry)) ?? (await slot.thread.run(entry.request));
  }

  #load(slot: Slot, entry: Entry): Promise<PoolResult | undefined> {
    const { cid } = entry.request.function;
    let loading = slot.loaded.get(cid);
    if (loading === undefined) {
      loading = this.#loadOnce(slot, entry);
      slot.loaded.set(cid, loading);
    }
    return loading;
  }

  async #loadOnce(slot: Slot, entry: Entry): Promise<PoolResult | undefined> {
    const { cid } = entry.request.function;
    const loaded = await slot.thread.load(cid, entry.module);
    // A lack of memory may pass; what is wrong with the module stays wrong.
    if (loaded.kind === "failed" && failureKind(loaded.code).refund === "retry") slot.loaded.delete(cid);
    return loaded.kind === "failed"
      ? { ...loaded, fuel: 0n, stderr: NO_BYTES, inputSha256: NO_BYTES }
      : undefined;
  }
}

function removeFrom<T>(list: T[], item: T): void {
  const index = list.indexOf(item);
  if (index >= 0) list.splice(index, 1);
}
