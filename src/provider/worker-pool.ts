import { failureCode, failureKind, type FailureName } from "../protocol/failure-code.ts";
import type { TaskRequest, TaskResult } from "../sandbox/task.ts";
import { BATCH_MS, BATCHES_PER_THREAD, MAX_BATCH_BYTES, MAX_BATCH_TASKS } from "./limits.ts";
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

interface Entry extends PoolTask {
  readonly settle: (result: PoolResult) => void;
  started: boolean;
  settled: boolean;
  /** Was in a batch that did not come back, and runs by itself to find out whose fault that was. */
  isSuspect: boolean;
}

/** Tasks of one function that go to a thread together. */
interface Batch {
  readonly entries: readonly Entry[];
  /** When the thread turned to it, by performance.now(). */
  begunAt: number;
}

interface Slot {
  readonly thread: SandboxThread;
  readonly loaded: Map<string, Promise<PoolResult | undefined>>;
  /** The one it runs, and the next. */
  readonly batches: Batch[];
  /** What one task took lately; nothing is known of a new thread. */
  msPerTask: number;
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

/**
 * Runs tasks on up to `size` threads, first come first served, each within its deadline. Tasks that wait go to a thread
 * together, as many as it will probably end within BATCH_MS: the way there and back costs as much as a small task.
 */
export class WorkerPool {
  readonly #startThread: () => SandboxThread;
  readonly #slots: Slot[] = [];
  #queue: Entry[] = [];
  #size: number;
  #stopped = false;
  #assigning = false;

  constructor(startThread: () => SandboxThread, size: number) {
    this.#startThread = startThread;
    this.#size = size;
  }

  get size(): number {
    return this.#size;
  }

  /** Threads that would turn to a new task at once. */
  get free(): number {
    const busy = this.#slots.filter((slot) => slot.batches.length > 0).length;
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
    const entry: Entry = { ...task, started: false, settled: false, isSuspect: false, settle: resolve };
    if (this.#stopped) return Promise.resolve(failed("draining", "the provider is stopping"));
    if (task.signal.aborted) return Promise.resolve(failed("not-started", "cancelled before it started"));
    task.signal.addEventListener("abort", () => this.#abort(entry), { once: true });
    this.#queue.push(entry);
    this.#assignSoon();
    return promise;
  }

  /** Ends every thread; what runs or waits is settled as returned. */
  stop(): void {
    this.#stopped = true;
    const held = this.#slots.flatMap((slot) => slot.batches.flatMap(({ entries }) => entries));
    const open = [...held, ...this.#queue];
    for (const slot of this.#slots) this.#end(slot);
    this.#slots.length = 0;
    this.#queue = [];
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
      const slot = this.#slots.find(({ batches }) => batches[0]?.entries.includes(entry) === true);
      this.#settle(entry, failed("cancelled", "cancelled by the requester"));
      if (slot !== undefined) this.#replace(slot);
      return;
    }
    removeFrom(this.#queue, entry);
    this.#settle(entry, failed("not-started", "cancelled before it started"));
  }

  /** What is given to the pool in one tick goes to the threads together. */
  #assignSoon(): void {
    if (this.#assigning) return;
    this.#assigning = true;
    queueMicrotask(() => {
      this.#assigning = false;
      this.#assign();
    });
  }

  #assign(): void {
    while (this.#queue.length > 0 && !this.#stopped) {
      const slot = this.#leastBusy();
      if (slot === undefined) return;
      const batch: Batch = { entries: this.#takeBatch(slot), begunAt: 0 };
      slot.batches.push(batch);
      void this.#feed(slot, batch);
    }
  }

  /** The first in the queue, and those behind it that may come along; no thread takes what another could turn to. */
  #takeBatch({ msPerTask }: Slot): readonly Entry[] {
    const most = Math.min(
      MAX_BATCH_TASKS,
      Math.max(1, Math.floor(BATCH_MS / msPerTask)),
      Math.ceil(this.#queue.length / this.#size),
    );
    let bytes = 0;
    let count = 0;
    for (const { request, isSuspect } of this.#queue) {
      bytes += request.input.length;
      const isApart = isSuspect || request.function.cid !== this.#queue[0]?.request.function.cid;
      if (count > 0 && (count === most || isApart || bytes > MAX_BATCH_BYTES)) break;
      count += 1;
      if (isSuspect) break;
    }
    return this.#queue.splice(0, count);
  }

  #leastBusy(): Slot | undefined {
    const idle = this.#slots.find((slot) => slot.batches.length === 0);
    if (idle !== undefined) return idle;
    if (this.#slots.length < this.#size) return this.#open();
    return this.#slots
      .filter((slot) => slot.batches.length < BATCHES_PER_THREAD)
      .toSorted((a, b) => a.batches.length - b.batches.length)[0];
  }

  #open(): Slot {
    const slot: Slot = {
      thread: this.#startThread(),
      loaded: new Map(),
      batches: [],
      msPerTask: BATCH_MS,
      timer: undefined,
    };
    slot.thread.onDeath((reason) => this.#giveUp(slot, failed("worker-lost", reason)));
    this.#slots.push(slot);
    return slot;
  }

  #end(slot: Slot): void {
    clearTimeout(slot.timer);
    slot.thread.terminate();
  }

  /** What the thread runs did not end as it should: a single task gets `result`, of several each is run by itself. */
  #giveUp(slot: Slot, result: PoolResult): void {
    const [running] = slot.batches;
    const [first, ...others] = running?.entries.filter(({ settled }) => !settled) ?? [];
    if (first !== undefined && others.length === 0) this.#settle(first, result);
    for (const entry of others.length === 0 ? [] : [first, ...others])
      if (entry !== undefined) entry.isSuspect = true;
    this.#replace(slot);
  }

  /** The thread is gone or must go: what it holds is given to others. */
  #replace(slot: Slot): void {
    if (!this.#slots.includes(slot)) return;
    this.#end(slot);
    removeFrom(this.#slots, slot);
    const left = slot.batches.flatMap(({ entries }) => entries).filter(({ settled }) => !settled);
    for (const entry of left) entry.started = false;
    slot.batches.length = 0;
    this.#queue.unshift(...left);
    this.#assignSoon();
  }

  #retire(): void {
    for (const slot of this.#slots.filter((each) => each.batches.length === 0)) {
      if (this.#slots.length <= this.#size) return;
      this.#end(slot);
      removeFrom(this.#slots, slot);
    }
  }

  /** Loads the function if need be, and runs the tasks; both calls wait in the thread's own queue behind those before. */
  async #feed(slot: Slot, batch: Batch): Promise<void> {
    if (slot.batches[0] === batch) this.#begin(slot, batch);
    let results: readonly PoolResult[];
    try {
      results = await this.#runLoaded(slot, batch);
      if (results.some(isUnloaded)) {
        // The thread let go of the function to make room for others.
        slot.loaded.clear();
        results = await this.#runLoaded(slot, batch);
      }
    } catch (error) {
      const detail = error instanceof Error ? error.message : "the thread failed";
      results = batch.entries.map(() => failed("worker-lost", detail));
    }
    if (!this.#slots.includes(slot)) return;
    this.#finished(slot, batch, results);
  }

  #finished(slot: Slot, batch: Batch, results: readonly PoolResult[]): void {
    removeFrom(slot.batches, batch);
    clearTimeout(slot.timer);
    const msPerTask = (performance.now() - batch.begunAt) / batch.entries.length;
    slot.msPerTask = (slot.msPerTask + msPerTask) / 2;
    for (const [place, entry] of batch.entries.entries())
      this.#settle(entry, results[place] ?? failed("worker-lost", "the thread gave no result"));
    const [next] = slot.batches;
    if (next !== undefined) this.#begin(slot, next);
    this.#retire();
    this.#assign();
  }

  #begin(slot: Slot, batch: Batch): void {
    if (batch.entries.some(({ settled }) => settled)) {
      // Given back while it waited in this thread, which would now run it for nobody.
      this.#replace(slot);
      return;
    }
    for (const entry of batch.entries) entry.started = true;
    batch.entries[0]?.onStart();
    batch.begunAt = performance.now();
    const deadlineMs = Math.max(...batch.entries.map((entry) => entry.deadlineMs));
    slot.timer = setTimeout(() => {
      this.#giveUp(slot, failed("deadline", `longer than ${deadlineMs} ms`));
    }, deadlineMs);
  }

  async #runLoaded(slot: Slot, { entries }: Batch): Promise<readonly PoolResult[]> {
    const [first] = entries;
    const refused = first === undefined ? undefined : await this.#load(slot, first);
    if (refused !== undefined) return entries.map(() => refused);
    return slot.thread.runAll(entries.map(({ request }) => request));
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

const UNLOADED = failureCode("function-unavailable");

function isUnloaded(result: PoolResult): boolean {
  return result.kind === "failed" && result.code === UNLOADED;
}

function removeFrom<T>(list: T[], item: T): void {
  const index = list.indexOf(item);
  if (index >= 0) list.splice(index, 1);
}
