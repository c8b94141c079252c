import { FIRST_WORK, MOST_WORK, SUBMIT_MS } from "./limits.ts";

/** How fast it may grow, and shrink, at one measurement. */
const LARGEST_GROWTH = 2;
const LARGEST_SHRINKING = 1 / 8;
/** A submit tells how fast the device is where it has at least this share of what it may have. */
const TELLING_SHARE = 0.5;

/** How much work a submit of a device may have, from how long others took. */
export class Pace {
  #work = FIRST_WORK;
  #longestMs = 0;

  /** Multiply-adds. */
  get workOfSubmit(): number {
    return this.#work;
  }

  /** Milliseconds of the longest submit so far. */
  get longestMs(): number {
    return this.#longestMs;
  }

  forgetLongest(): void {
    this.#longestMs = 0;
  }

  /** Begins with what a measurement says. @param work multiply-adds of a submit */
  begin(work: number): void {
    this.#work = Math.min(MOST_WORK, Math.max(1, work));
  }

  /** @param work multiply-adds of a submit @param milliseconds from its beginning to its end */
  observe(work: number, milliseconds: number): void {
    this.#longestMs = Math.max(this.#longestMs, milliseconds);
    const wanted = (work * SUBMIT_MS) / Math.max(milliseconds, 0.01);
    if (wanted < this.#work) this.#work = Math.max(wanted, this.#work * LARGEST_SHRINKING);
    else if (work >= this.#work * TELLING_SHARE) this.#work = Math.min(wanted, this.#work * LARGEST_GROWTH);
    this.#work = Math.min(MOST_WORK, Math.max(1, this.#work));
  }
}
