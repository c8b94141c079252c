import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { ModelDuty } from "./model-duty.ts";
import { StretchedDeadline } from "./stretched-deadline.ts";

/* The clock of these tests is turned by hand. */
beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
});
afterEach(() => {
  vi.useRealTimers();
});

it.each([10, 25, 50])("a model that writes part after part works %i percent of the time", async (percent) => {
  const duty = new ModelDuty();
  duty.setShare(percent);
  const write = async (): Promise<void> => {
    for (;;) {
      duty.begin();
      // oxlint-disable-next-line no-await-in-loop -- one part after the other
      await new Promise((resolve) => setTimeout(resolve, 250));
      duty.end();
      // oxlint-disable-next-line no-await-in-loop
      await duty.rest();
    }
  };
  void write();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(Math.abs(duty.busyMs / 100 - percent)).toBeLessThanOrEqual(3);
});

it("a rest ends at once when a larger share is given, and is over then", async () => {
  const duty = new ModelDuty();
  duty.setShare(1);
  duty.begin();
  vi.advanceTimersByTime(10_000);
  duty.end();
  let isRested = false;
  void duty.rest().then(() => (isRested = true));
  await vi.advanceTimersByTimeAsync(60_000);
  expect(isRested).toBe(false);
  duty.setShare(100);
  await vi.advanceTimersByTimeAsync(0);
  expect([isRested, duty.dueMs]).toEqual([true, 0]);
});

it("a rest that nobody needs any more ends, and is owed by the next task", async () => {
  const duty = new ModelDuty();
  duty.setShare(50);
  await duty.during(Promise.resolve(vi.advanceTimersByTime(0)));
  duty.begin();
  vi.advanceTimersByTime(8_000);
  duty.end();
  const resting = duty.rest();
  await vi.advanceTimersByTimeAsync(3_000);
  duty.wake();
  await resting;
  expect(duty.dueMs).toBe(5_000);
});

it("a deadline stands still while its thread rests, and only then", async () => {
  const over = vi.fn<() => void>();
  const deadline = new StretchedDeadline(1_000, over);
  await vi.advanceTimersByTimeAsync(600);
  const { promise: rest, resolve: wake } = Promise.withResolvers<void>();
  const resting = deadline.during(rest);
  await vi.advanceTimersByTimeAsync(50_000);
  wake();
  await resting;
  await vi.advanceTimersByTimeAsync(399);
  expect(over).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(1);
  expect(over).toHaveBeenCalledOnce();
  deadline.end();
  const other = new StretchedDeadline(1_000, over);
  other.end();
  await vi.advanceTimersByTimeAsync(2_000);
  expect(over).toHaveBeenCalledOnce();
});
