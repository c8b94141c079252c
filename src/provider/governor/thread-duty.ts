import type { BusyMeter } from "./busy-meter.ts";
import { LEAST_REST_MS, REST_SLACK_MS } from "./limits.ts";
import { RestDebt } from "./rest-debt.ts";

/**
 * One thread's share of the time. It outlives the thread: who has a thread ended, by a deadline or by taking a task back,
 * does not get the next one rested. Times are milliseconds of a clock that only goes forward.
 */
export class ThreadDuty {
  readonly #meter: BusyMeter;
  readonly #debt: RestDebt;
  #begunAt: number | undefined;
  #endBusy: ((now: number) => void) | undefined;
  #idleSince: number | undefined;

  /** @param slackMs see RestDebt */
  constructor(meter: BusyMeter, slackMs: number = REST_SLACK_MS) {
    this.#meter = meter;
    this.#debt = new RestDebt(slackMs);
  }

  /** The thread turns to work. */
  begin(now: number): void {
    this.#rest(now);
    this.#begunAt = now;
    this.#endBusy = this.#meter.begin(now);
  }

  /** The thread is done with it. Nothing happens where it had not begun. @param cpuPercent share that holds now */
  end(now: number, cpuPercent: number): void {
    if (this.#begunAt === undefined) return;
    this.#debt.worked(now - this.#begunAt, cpuPercent);
    this.#endBusy?.(now);
    this.#begunAt = undefined;
    this.#idleSince = now;
  }

  /** Milliseconds of rest before the thread may turn to more; 0 where none is due. */
  dueMs(now: number): number {
    this.#rest(now);
    return this.#debt.owedMs < LEAST_REST_MS ? 0 : this.#debt.owedMs;
  }

  /** What was owed is not any more. */
  forgive(): void {
    this.#debt.forgive();
  }

  #rest(now: number): void {
    if (this.#idleSince === undefined || this.#begunAt !== undefined) return;
    this.#debt.rested(now - this.#idleSince);
    this.#idleSince = now;
  }
}
