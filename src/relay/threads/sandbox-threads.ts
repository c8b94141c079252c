import { failureCode, type FailureName } from "../../protocol/failure-code.ts";
import type { TaskRequest, TaskResult } from "../../sandbox/task.ts";
import { MAX_WAITING_BYTES, THREAD_HEAP_MIB } from "./limits.ts";
import { type NodeThread, startNodeThread } from "./node-thread.ts";

export interface ThreadTask {
  readonly request: TaskRequest;
  /** The function's module, for a thread that has not loaded it. The caller has verified that it hashes to the CID. */
  readonly module: Uint8Array;
  /** From the moment a running thread turns to it; loading the function is part of it. */
  readonly deadlineMs: number;
  /** Gives it back when it has not started, ends it when it has. */
  readonly signal?: AbortSignal;
}

export interface ThreadEnd {
  readonly result: TaskResult;
  /** False when the task was killed from outside: nobody knows then what it had used. */
  readonly isFuelKnown: boolean;
  /** Checking, metering and compiling the function; 0 where the thread held it already. */
  readonly loadMs: number;
  readonly runMs: number;
}

export interface ThreadsOptions {
  /** Most threads at a time; they start when there is work for them. */
  readonly threads: number;
  /** JavaScript heap of each, MiB. Default THREAD_HEAP_MIB. */
  readonly heapMib?: number;
  /** Most bytes of inputs and modules that wait. Default MAX_WAITING_BYTES. */
  readonly waitingBytes?: number;
}

/** Functions run in worker threads of this process: the same sandbox as in a tab, with the same outcomes, fuel and hashes. */
export interface SandboxThreads {
  /**
   * Runs one task in a fresh instance, when a thread is free. Never rejects: what goes wrong is a result, `deadline` when
   * it took too long, `declined` when too much waits already, `worker-lost` when its thread died.
   */
  run(task: ThreadTask): Promise<ThreadEnd>;
  /** Ends every thread; what runs or waits is settled as `draining`. Their memory is free when this resolves. */
  stop(): Promise<void>;
}

interface Entry extends ThreadTask {
  readonly settle: (end: ThreadEnd) => void;
  /** Resolves with what ends the task from outside. */
  readonly killed: Promise<ThreadEnd>;
  readonly kill: (end: ThreadEnd) => void;
  readonly bytes: number;
}

interface Slot {
  readonly thread: NodeThread;
  readonly loaded: Set<string>;
  busy: boolean;
}

interface Timed<T> {
  readonly value: T;
  readonly ms: number;
}

const NO_BYTES = new Uint8Array(0);
const UNLOADED = failureCode("function-unavailable");

export function startSandboxThreads(options: ThreadsOptions): SandboxThreads {
  return new ThreadPool(options);
}

function killedBy(name: FailureName, detail: string): ThreadEnd {
  const code = failureCode(name);
  const result: TaskResult = { kind: "failed", code, detail, fuel: 0n, stderr: NO_BYTES };
  return { result, isFuelKnown: false, loadMs: 0, runMs: 0 };
}

async function timed<T>(working: Promise<T>): Promise<Timed<T>> {
  const begun = performance.now();
  const value = await working;
  return { value, ms: performance.now() - begun };
}

class ThreadPool implements SandboxThreads {
  readonly #options: Required<ThreadsOptions>;
  readonly #slots = new Set<Slot>();
  readonly #open = new Set<Entry>();
  readonly #queue: Entry[] = [];
  #waitingBytes = 0;
  #stopped = false;

  constructor(options: ThreadsOptions) {
    this.#options = { heapMib: THREAD_HEAP_MIB, waitingBytes: MAX_WAITING_BYTES, ...options };
  }

  run(task: ThreadTask): Promise<ThreadEnd> {
    const bytes = task.request.input.length + task.module.length;
    if (this.#stopped) return Promise.resolve(killedBy("draining", "the threads are stopped"));
    if (task.signal?.aborted === true)
      return Promise.resolve(killedBy("not-started", "cancelled before it started"));
    if (this.#waitingBytes + bytes > this.#options.waitingBytes)
      return Promise.resolve(
        killedBy("declined", `more than ${this.#options.waitingBytes} bytes would wait`),
      );
    const { promise, resolve } = Promise.withResolvers<ThreadEnd>();
    const { promise: killed, resolve: kill } = Promise.withResolvers<ThreadEnd>();
    const entry: Entry = { ...task, settle: resolve, killed, kill, bytes };
    task.signal?.addEventListener("abort", () => this.#abort(entry), { once: true });
    this.#open.add(entry);
    this.#queue.push(entry);
    this.#waitingBytes += bytes;
    this.#assign();
    return promise;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    const stopped = killedBy("draining", "the threads are stopping");
    for (const entry of this.#open) {
      entry.kill(stopped);
      this.#settle(entry, stopped);
    }
    this.#queue.length = 0;
    const slots = [...this.#slots];
    this.#slots.clear();
    await Promise.all(slots.map(({ thread }) => thread.terminate()));
  }

  #settle(entry: Entry, end: ThreadEnd): void {
    this.#open.delete(entry);
    entry.settle(end);
  }

  #abort(entry: Entry): void {
    const place = this.#queue.indexOf(entry);
    if (place < 0) return entry.kill(killedBy("cancelled", "cancelled while it ran"));
    this.#queue.splice(place, 1);
    this.#waitingBytes -= entry.bytes;
    this.#settle(entry, killedBy("not-started", "cancelled before it started"));
  }

  #assign(): void {
    for (;;) {
      const [entry] = this.#queue;
      const slot = entry === undefined ? undefined : this.#slotFor(entry);
      if (entry === undefined || slot === undefined) return;
      this.#queue.shift();
      this.#waitingBytes -= entry.bytes;
      slot.busy = true;
      void this.#serve(slot, entry);
    }
  }

  /** An idle thread, rather one that holds the function, or a new one where there may be one more. */
  #slotFor(entry: Entry): Slot | undefined {
    const idle = [...this.#slots].filter(({ busy }) => !busy);
    const holder = idle.find(({ loaded }) => loaded.has(entry.request.function.cid));
    if (holder !== undefined || idle.length > 0) return holder ?? idle[0];
    if (this.#slots.size >= this.#options.threads) return undefined;
    const slot: Slot = { thread: startNodeThread(this.#options.heapMib), loaded: new Set(), busy: false };
    this.#slots.add(slot);
    return slot;
  }

  async #serve(slot: Slot, entry: Entry): Promise<void> {
    await Promise.race([slot.thread.ready, entry.killed]);
    const expired = `longer than ${entry.deadlineMs} ms`;
    const timer = setTimeout(() => entry.kill(killedBy("deadline", expired)), entry.deadlineMs);
    const begun = performance.now();
    let isKilled = false;
    const killed = entry.killed.then((end) => {
      isKilled = true;
      return { ...end, runMs: performance.now() - begun };
    });
    const end = await Promise.race([this.#runOn(slot, entry), killed]).catch((error: unknown) =>
      killedBy("worker-lost", `the sandbox failed: ${String(error)}`),
    );
    clearTimeout(timer);
    if (isKilled || slot.thread.isDead) await this.#discard(slot);
    slot.busy = false;
    this.#settle(entry, end);
    if (!this.#stopped) this.#assign();
  }

  /** Ends a thread that is of no use any more. Another starts when there is work. */
  async #discard(slot: Slot): Promise<void> {
    this.#slots.delete(slot);
    await slot.thread.terminate();
  }

  async #runOn(slot: Slot, entry: Entry): Promise<ThreadEnd> {
    const first = await this.#loadAndRun(slot, entry);
    if (first.result.kind === "done" || first.result.code !== UNLOADED) return first;
    // The thread let go of the function to make room for others.
    slot.loaded.clear();
    return this.#loadAndRun(slot, entry);
  }

  async #loadAndRun({ thread, loaded }: Slot, { request, module }: Entry): Promise<ThreadEnd> {
    const { cid } = request.function;
    let loadMs = 0;
    if (!loaded.has(cid)) {
      const loading = await timed(thread.load(cid, module));
      loadMs = loading.ms;
      const { value } = loading;
      if (value.kind === "failed")
        return {
          result: { kind: "failed", code: value.code, detail: value.detail, fuel: 0n, stderr: NO_BYTES },
          isFuelKnown: !thread.isDead,
          loadMs,
          runMs: 0,
        };
      loaded.add(cid);
    }
    const { value: result, ms: runMs } = await timed(thread.run(request));
    return { result, isFuelKnown: !thread.isDead, loadMs, runMs };
  }
}
