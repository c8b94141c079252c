import { HOT_FACTOR, HOT_IN_A_ROW } from "./limits.ts";

/** Compares how long the calibration kernel takes with the quickest time it ever took here. */
export class Slowdown {
  #bestMs = Number.POSITIVE_INFINITY;
  #slowInARow = 0;
  #factor = 1;

  /** @param ms the quickest of a few measurements at one time */
  measured(ms: number): void {
    if (!(ms > 0)) return;
    this.#bestMs = Math.min(this.#bestMs, ms);
    this.#factor = ms / this.#bestMs;
    this.#slowInARow = this.#factor >= HOT_FACTOR ? this.#slowInARow + 1 : 0;
  }

  /** How many times longer than the quickest the last measurement took. */
  get factor(): number {
    return this.#factor;
  }

  get isHot(): boolean {
    return this.#slowInARow >= HOT_IN_A_ROW;
  }
}
