/**
 * How many tasks to have under way at one provider: grows while answers come quickly, shrinks when they queue there, so
 * that a slow provider never sits on work that a fast one could do.
 */
export class Pace {
  readonly #max: number;
  #limit: number;

  /** Tasks under way at first: two for each of a few threads. */
  static readonly START = 4;
  /** Answers faster than this let one more task go. */
  static readonly QUICK_MS = 250;
  /** Answers slower than this take one away. */
  static readonly SLOW_MS = 1_500;

  constructor(max: number) {
    this.#max = max;
    this.#limit = Math.min(Pace.START, max);
  }

  get limit(): number {
    return this.#limit;
  }

  /** An answer came `ms` after its task was sent. */
  answered(ms: number): void {
    if (ms < Pace.QUICK_MS) this.#limit = Math.min(this.#max, this.#limit + 1);
    else if (ms > Pace.SLOW_MS) this.#limit = Math.max(2, this.#limit - 1);
  }
}
