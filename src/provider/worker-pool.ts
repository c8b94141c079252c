import { BusyMeter } from "./governor/busy-meter.ts";
import { CALIBRATE_INTERVAL_MS, DUTY_WINDOW_MS, LEAVE_MS, LONG_REST_MS } from "./governor/limits.ts";
import { ThreadDuty } from "./governor/thread-duty.ts";
import { failed, LoadingThread } from "./loading-thread.ts";
import { BATCH_MS, BATCHES_PER_THREAD, MAX_BATCH_BYTES, MAX_BATCH_TASKS } from "./limits.ts";
import {
  type Batch,
  type Entry,
  type PoolResult,
  type PoolTask,
  removeFrom,
  type Slot,
} from "./pool-slot.ts";
import type { SandboxThread } from "./sandbox-thread.ts";

export type { PoolResult };

export interface PoolEvents {
  /** A thread that was told as taken is free again, with no task having ended. */
  onRested?: () => void;
  /** Takes a measure of a thread that has nothing in hand. Asked for every CALIBRATE_INTERVAL_MS while there is work. */
  calibrate?: (thread: SandboxThread) => Promise<void>;
}

/**
 * Runs tasks on up to `size` threads, first come first served, each within its deadline. Tasks that wait go to a thread
 * together, as many as it will probably end within BATCH_MS: the way there and back costs as much as a small task.
 *
 * Each thread works for a share of the time: after each batch it rests for so long that work is that share of both.
 */
export class WorkerPool {
  readonly #startThread: () => SandboxThread;
  readonly #events: PoolEvents;
  readonly #slots: Slot[] = [];
  readonly #meter = new BusyMeter(DUTY_WINDOW_MS);
  /** Of threads that have ended, as far as they still owe rest. */
  #duties: ThreadDuty[] = [];
  #queue: Entry[] = [];
  #size: number;
  #cpuPercent = 100;
  #calibratedAt = performance.now();
  #stopped = false;
  #assigning = false;

  /** @param size threads; with none all tasks wait */
  constructor(startThread: () => SandboxThread, size: number, events: PoolEvents = {}) {
    this.#startThread = startThread;
    this.#size = size;
    this.#events = events;
  }

  get size(): number {
    return this.#size;
  }

  /** Threads that would turn to a new task at once, or after a short rest. */
  get free(): number {
    const soon = performance.now() + LONG_REST_MS;
    const taken = this.#slots.filter(
      ({ batches, held, leaving }) =>
        leaving === undefined && (batches.length > 0 || (held !== undefined && held.until > soon)),
    ).length;
    return Math.max(0, this.#size - taken - this.#queue.length);
  }

  /** Milliseconds that all threads together computed in the last DUTY_WINDOW_MS. */
  get busyMs(): number {
    return this.#meter.busyMs(performance.now());
  }

  /** Of fewer threads those that are too many end what they run within LEAVE_MS, or the others do. */
  setSize(size: number): void {
    this.#size = Math.max(0, size);
    this.#retire();
    this.#assign();
  }

  /** Share of the time that each thread works, 1 to 100. More holds at once. */
  setDuty(cpuPercent: number): void {
    const isMore = cpuPercent > this.#cpuPercent;
    this.#cpuPercent = cpuPercent;
    if (!isMore) return;
    this.#duties = [];
    for (const slot of this.#slots) {
      slot.duty.forgive();
      if (slot.batches.length === 0) slot.held = undefined;
    }
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
    const open = this.#staying.filter(({ held }) => held === undefined);
    const idle = open.find((slot) => slot.batches.length === 0);
    if (idle !== undefined) return idle;
    while (this.#staying.length < this.#size) {
      const slot = this.#open();
      if (slot.held === undefined) return slot;
    }
    // What is to rest in between cannot be handed over ahead.
    const most = this.#cpuPercent < 100 || this.#isCalibrationDue ? 1 : BATCHES_PER_THREAD;
    return open
      .filter((slot) => slot.batches.length < most)
      .toSorted((a, b) => a.batches.length - b.batches.length)[0];
  }

  get #staying(): readonly Slot[] {
    return this.#slots.filter(({ leaving }) => leaving === undefined);
  }

  #open(): Slot {
    const thread = this.#startThread();
    const slot: Slot = {
      thread,
      loading: new LoadingThread(thread),
      duty: this.#duties.shift() ?? new ThreadDuty(this.#meter),
      batches: [],
      msPerTask: BATCH_MS,
      timer: undefined,
      held: undefined,
      leaving: undefined,
    };
    thread.onDeath((reason) => this.#giveUp(slot, failed("worker-lost", reason)));
    this.#slots.push(slot);
    this.#rest(slot, performance.now());
    return slot;
  }

  #end(slot: Slot): void {
    clearTimeout(slot.timer);
    clearTimeout(slot.leaving);
    const now = performance.now();
    slot.duty.end(now, this.#cpuPercent);
    if (slot.duty.dueMs(now) > 0) this.#duties.push(slot.duty);
    slot.thread.terminate();
  }

  /** Nothing is in the thread's hand: it is measured if that is due, and rests if it has to. */
  #breathe(slot: Slot): void {
    const now = performance.now();
    const { calibrate } = this.#events;
    if (calibrate !== undefined && this.#isCalibrationDue) {
      this.#calibratedAt = now;
      void this.#hold(slot, now, this.#measure(slot, calibrate));
      return;
    }
    this.#rest(slot, now);
  }

  #rest(slot: Slot, now: number): void {
    const ms = slot.duty.dueMs(now);
    if (ms > 0) void this.#hold(slot, now + ms, slot.thread.rest(ms));
  }

  async #measure(slot: Slot, calibrate: (thread: SandboxThread) => Promise<void>): Promise<void> {
    slot.duty.begin(performance.now());
    await calibrate(slot.thread);
    slot.duty.end(performance.now(), this.#cpuPercent);
  }

  /** The thread gets nothing until `freed`, which it may not live to see. */
  async #hold(slot: Slot, until: number, freed: Promise<void>): Promise<void> {
    const held = { until };
    const since = performance.now();
    slot.held = held;
    // A thread that cannot do even that shows it with its next task.
    await freed.catch(() => undefined);
    if (slot.held !== held || !this.#slots.includes(slot)) return;
    slot.held = undefined;
    const now = performance.now();
    this.#rest(slot, now);
    this.#assign();
    if (now - since > LONG_REST_MS) this.#events.onRested?.();
  }

  get #isCalibrationDue(): boolean {
    const { calibrate } = this.#events;
    return calibrate !== undefined && performance.now() - this.#calibratedAt > CALIBRATE_INTERVAL_MS;
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

  /** Threads that are too many go: idle ones now, others when they have ended what they run. */
  #retire(): void {
    const staying = this.#staying;
    const busyLast = staying.toSorted((a, b) => a.batches.length - b.batches.length);
    for (const slot of busyLast.slice(0, Math.max(0, staying.length - this.#size)))
      slot.leaving = setTimeout(() => this.#replace(slot), LEAVE_MS);
    for (const slot of this.#slots.filter(({ leaving }) => leaving !== undefined)) {
      if (slot.batches.length === 0) {
        this.#end(slot);
        removeFrom(this.#slots, slot);
      } else if (this.#staying.length < this.#size) {
        clearTimeout(slot.leaving);
        slot.leaving = undefined;
      }
    }
  }

  async #feed(slot: Slot, batch: Batch): Promise<void> {
    if (slot.batches[0] === batch) this.#begin(slot, batch);
    const results = await slot.loading.runAll(batch.entries);
    if (this.#slots.includes(slot)) this.#finished(slot, batch, results);
  }

  #finished(slot: Slot, batch: Batch, results: readonly PoolResult[]): void {
    removeFrom(slot.batches, batch);
    clearTimeout(slot.timer);
    const msPerTask = (performance.now() - batch.begunAt) / batch.entries.length;
    slot.msPerTask = (slot.msPerTask + msPerTask) / 2;
    for (const [place, entry] of batch.entries.entries())
      this.#settle(entry, results[place] ?? failed("worker-lost", "the thread gave no result"));
    slot.duty.end(performance.now(), this.#cpuPercent);
    const [next] = slot.batches;
    if (slot.leaving !== undefined) this.#replace(slot);
    else if (next === undefined) this.#breathe(slot);
    else this.#begin(slot, next);
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
    slot.duty.begin(batch.begunAt);
    const deadlineMs = Math.max(...batch.entries.map((entry) => entry.deadlineMs));
    slot.timer = setTimeout(() => {
      this.#giveUp(slot, failed("deadline", `longer than ${deadlineMs} ms`));
    }, deadlineMs);
  }
}
