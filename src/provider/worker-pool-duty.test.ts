import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { failureCode } from "../protocol/failure-code.ts";
import type { TaskRequest, TaskResult } from "../sandbox/task.ts";
import { CALIBRATE_INTERVAL_MS, LEAVE_MS, LONG_REST_MS } from "./governor/limits.ts";
import type { SandboxThread } from "./sandbox-thread.ts";
import { type PoolEvents, type PoolResult, WorkerPool } from "./worker-pool.ts";

/* The clock of these tests is turned by hand, so that shares of time are exact. */
beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
});
afterEach(() => {
  vi.useRealTimers();
});

const NOTHING = new Uint8Array(0);

function after(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** A thread that works so many milliseconds on a task as its input says, and knows when it was at work. */
class TimedThread implements SandboxThread {
  /** Beginning and end of each stretch of work. */
  readonly stretches: { from: number; to: number | undefined }[] = [];
  isEnded = false;
  #last: Promise<unknown> = Promise.resolve();

  load(): ReturnType<SandboxThread["load"]> {
    return Promise.resolve({ kind: "loaded", meteredBytes: 1, minimumMemoryBytes: 0 });
  }

  runAll(requests: readonly TaskRequest[]): Promise<readonly TaskResult[]> {
    const results = this.#last.then(() => this.#runAll(requests));
    this.#last = results;
    return results;
  }

  async #runAll(requests: readonly TaskRequest[]): Promise<readonly TaskResult[]> {
    const stretch: { from: number; to: number | undefined } = { from: performance.now(), to: undefined };
    this.stretches.push(stretch);
    for (const { input } of requests)
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await after(new DataView(input.buffer).getUint32(0));
    stretch.to ??= performance.now();
    return requests.map(({ input }) => ({
      kind: "done",
      output: input,
      fuel: 1n,
      stderr: NOTHING,
      inputSha256: NOTHING,
      outputSha256: NOTHING,
    }));
  }

  /** Clocks of threads are late. */
  rest(ms: number): Promise<void> {
    return after(Math.ceil(ms) + 3);
  }

  terminate(): void {
    this.isEnded = true;
    for (const stretch of this.stretches) stretch.to ??= performance.now();
  }

  onDeath(): void {
    // It never dies by itself.
  }

  /** Milliseconds at work between two moments. */
  workedMs(since: number, until: number): number {
    return this.stretches.reduce(
      (sum, { from, to = until }) => sum + Math.max(0, Math.min(to, until) - Math.max(from, since)),
      0,
    );
  }
}

interface Scene {
  readonly pool: WorkerPool;
  readonly threads: TimedThread[];
  run(ms: number, options?: { signal?: AbortSignal; deadlineMs?: number }): Promise<PoolResult>;
  /** Keeps so many tasks waiting, one of `ms` after the other. */
  keepBusy(lanes: number, ms: number): void;
  /** Share of the time of `count` threads that all together worked from now on, in percent. */
  shareOver(forMs: number, count: number): Promise<number>;
}

function scene(size: number, events: PoolEvents = {}): Scene {
  const threads: TimedThread[] = [];
  const pool = new WorkerPool(
    () => {
      const thread = new TimedThread();
      threads.push(thread);
      return thread;
    },
    size,
    events,
  );
  const run: Scene["run"] = (ms, { signal = new AbortController().signal, deadlineMs = 3_600_000 } = {}) => {
    const input = new Uint8Array(4);
    new DataView(input.buffer).setUint32(0, ms);
    return pool.run({
      request: {
        function: { cid: "f", abi: "bytes-1", entry: "" },
        args: { args: [], env: {}, files: [] },
        input,
        seed: NOTHING,
        limits: { fuel: 1n, memoryBytes: 1, outputBytes: 1 },
      },
      module: NOTHING,
      deadlineMs,
      signal,
      onStart: () => undefined,
    });
  };
  const keepOn = async (ms: number): Promise<void> => {
    // oxlint-disable-next-line no-await-in-loop -- until the test is over
    for (;;) await run(ms);
  };
  return {
    pool,
    threads,
    run,
    keepBusy: (lanes, ms) => {
      for (let lane = 0; lane < lanes; lane += 1) void keepOn(ms);
    },
    async shareOver(forMs, count) {
      const since = performance.now();
      await vi.advanceTimersByTimeAsync(forMs);
      const worked = threads.reduce((sum, thread) => sum + thread.workedMs(since, performance.now()), 0);
      return (100 * worked) / (forMs * count);
    },
  };
}

describe("a share of the time", () => {
  const CASES = [10, 25, 50, 100].flatMap((percent) => [2, 20, 300].map((ms) => [percent, ms] as const));

  it.each(CASES)("of %i percent holds for tasks of %i ms", async (percent, ms) => {
    const two = scene(2);
    two.pool.setDuty(percent);
    two.keepBusy(8, ms);
    const share = await two.shareOver(15_000, 2);
    expect(Math.abs(share - percent)).toBeLessThanOrEqual(2);
    if (percent < 100) expect(two.pool.busyMs / (10_000 * 2)).toBeCloseTo(percent / 100, 1);
  });

  it("lets one long task end, and rests afterwards for as long as that takes", async () => {
    const one = scene(1);
    one.pool.setDuty(25);
    one.keepBusy(2, 10_000);
    await vi.advanceTimersByTimeAsync(79_000);
    expect(one.threads[0]?.stretches.map(({ from, to }) => (to ?? 0) - from)).toEqual([10_000, 10_000]);
  });

  it("is not won back by having one's threads ended", async () => {
    const one = scene(1);
    one.pool.setDuty(25);
    const cheat = async (): Promise<void> => {
      // oxlint-disable-next-line no-await-in-loop -- until the test is over
      for (;;) await one.run(3_600_000, { deadlineMs: 500 });
    };
    for (let lane = 0; lane < 4; lane += 1) void cheat();
    expect(await one.shareOver(60_000, 1)).toBeLessThanOrEqual(27);
    expect(one.threads.length).toBeGreaterThan(10);
  });

  it("that grows ends the rest at once", async () => {
    const one = scene(1);
    one.pool.setDuty(1);
    one.keepBusy(2, 1_000);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(one.threads[0]?.stretches.length).toBe(1);
    one.pool.setDuty(100);
    expect(await one.shareOver(5_000, 1)).toBe(100);
  });

  it("shows a thread that rests for long as taken, and says when it is free again", async () => {
    const told: number[] = [];
    const one = scene(1, { onRested: () => told.push(one.pool.free) });
    one.pool.setDuty(50);
    void one.run(5_000);
    await vi.advanceTimersByTimeAsync(5_001);
    expect(one.pool.free).toBe(0);
    await vi.advanceTimersByTimeAsync(5_000 - LONG_REST_MS);
    expect([one.pool.free, told]).toEqual([1, []]);
    await vi.advanceTimersByTimeAsync(LONG_REST_MS + 10);
    expect(told).toEqual([1]);
  });
});

describe("fewer threads", () => {
  it("are fewer at once, also where there is more to do than all can do", async () => {
    const two = scene(2);
    two.keepBusy(8, 20);
    expect(await two.shareOver(1_000, 2)).toBe(100);
    two.pool.setSize(1);
    await vi.advanceTimersByTimeAsync(LEAVE_MS);
    expect(await two.shareOver(2_000, 1)).toBe(100);
    expect(two.threads.filter(({ isEnded }) => !isEnded)).toHaveLength(1);
  });

  it("take over what one that has to go cannot end in time", async () => {
    const two = scene(2);
    const results = Promise.all([two.run(3_000), two.run(3_000)]);
    await vi.advanceTimersByTimeAsync(100);
    two.pool.setSize(1);
    await vi.advanceTimersByTimeAsync(LEAVE_MS + 1);
    expect(two.threads.map(({ isEnded }) => isEnded)).toContain(true);
    await vi.advanceTimersByTimeAsync(6_000);
    expect((await results).map(({ kind }) => kind)).toEqual(["done", "done"]);
  });

  it("stay where they are wanted again before they have gone", async () => {
    const two = scene(2);
    two.keepBusy(4, 400);
    await vi.advanceTimersByTimeAsync(100);
    two.pool.setSize(1);
    await vi.advanceTimersByTimeAsync(100);
    two.pool.setSize(2);
    expect(await two.shareOver(5_000, 2)).toBe(100);
    expect(two.threads).toHaveLength(2);
  });

  it("can be none: tasks wait, and run when there is one again", async () => {
    const one = scene(1);
    one.pool.setSize(0);
    const result = one.run(10);
    await vi.advanceTimersByTimeAsync(10_000);
    expect([one.threads.length, one.pool.free]).toEqual([0, 0]);
    one.pool.setSize(1);
    await vi.advanceTimersByTimeAsync(20);
    expect((await result).kind).toBe("done");
  });
});

it("a thread is measured now and then under full load, by itself, one at a time", async () => {
  const measured: number[] = [];
  const two: Scene = scene(2, {
    calibrate: async (thread) => {
      const place = two.threads.findIndex((each) => each === thread);
      const now = performance.now();
      expect(two.threads[place]?.stretches.every(({ to }) => to !== undefined)).toBe(true);
      await after(10);
      expect(two.threads[place]?.workedMs(now, performance.now())).toBe(0);
      measured.push(place);
    },
  });
  two.keepBusy(8, 20);
  await vi.advanceTimersByTimeAsync(4.5 * CALIBRATE_INTERVAL_MS);
  expect(measured).toHaveLength(4);
});

it("what is taken back while its thread is at it ends that thread in the same turn", async () => {
  const one = scene(1);
  const cancel = new AbortController();
  const result = one.run(60_000, { signal: cancel.signal });
  await vi.advanceTimersByTimeAsync(100);
  cancel.abort();
  expect(one.threads[0]?.isEnded).toBe(true);
  expect(await result).toMatchObject({ kind: "failed", code: failureCode("cancelled") });
});
