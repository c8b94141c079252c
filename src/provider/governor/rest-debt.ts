/**
 * What a thread owes in rest: after each stretch of work so much that work is `cpuPercent` of both together. Rest that came
 * out longer than it had to be, as timers make it, is worked off again up to `slackMs`; idle time beyond it is not saved up.
 */
export class RestDebt {
  readonly #slackMs: number;
  #owedMs = 0;

  constructor(slackMs: number) {
    this.#slackMs = slackMs;
  }

  /** @param cpuPercent 1 to 100 */
  worked(ms: number, cpuPercent: number): void {
    this.#owedMs += (ms * (100 - cpuPercent)) / cpuPercent;
  }

  rested(ms: number): void {
    this.#owedMs = Math.max(-this.#slackMs, this.#owedMs - ms);
  }

  /** Nothing is owed any more, as when the person gives more. */
  forgive(): void {
    this.#owedMs = Math.min(0, this.#owedMs);
  }

  /** Milliseconds of rest that are due now, or less than 0. */
  get owedMs(): number {
    return this.#owedMs;
  }
}
