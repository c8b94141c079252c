import { BusyMeter } from "./governor/busy-meter.ts";
import { DUTY_WINDOW_MS, MODEL_REST_SLACK_MS } from "./governor/limits.ts";
import { ThreadDuty } from "./governor/thread-duty.ts";

/** Keeps the thread of models to its share of the time: it rests after tasks, and after parts of those that write for long. */
export class ModelDuty {
  readonly #meter = new BusyMeter(DUTY_WINDOW_MS);
  readonly #duty = new ThreadDuty(this.#meter, MODEL_REST_SLACK_MS);
  #cpuPercent = 100;
  #wake: (() => void) | undefined;

  /** Milliseconds at work in the last DUTY_WINDOW_MS. */
  get busyMs(): number {
    return this.#meter.busyMs(performance.now());
  }

  /** Share of the time, 1 to 100. More holds at once. */
  setShare(cpuPercent: number): void {
    const isMore = cpuPercent > this.#cpuPercent;
    this.#cpuPercent = cpuPercent;
    if (!isMore) return;
    this.#duty.forgive();
    this.wake();
  }

  begin(): void {
    this.#duty.begin(performance.now());
  }

  end(): void {
    this.#duty.end(performance.now(), this.#cpuPercent);
  }

  /** Counts work that has no parts. */
  async during<T>(work: Promise<T>): Promise<T> {
    this.begin();
    try {
      return await work;
    } finally {
      this.end();
    }
  }

  /** Milliseconds of rest that are due now. */
  get dueMs(): number {
    return this.#duty.dueMs(performance.now());
  }

  /** Resolves when the thread may go on. */
  async rest(): Promise<void> {
    const ms = this.dueMs;
    if (ms <= 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    const timer = setTimeout(resolve, ms);
    await promise;
    clearTimeout(timer);
  }

  /** Ends a rest that nobody needs any more; what is owed stays owed. */
  wake(): void {
    this.#wake?.();
    this.#wake = undefined;
  }
}
