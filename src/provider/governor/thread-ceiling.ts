import { CALM_MS, PRESSURE_STEP_MS } from "./limits.ts";

/**
 * How many threads a machine under pressure gets: half as many at each step down, a quarter of all back at each step up.
 * Its own threads are part of the pressure that a browser tells, so there is no other way to learn how many are too many.
 * Times are milliseconds of a clock that only goes forward.
 */
export class ThreadCeiling {
  #most = Number.POSITIVE_INFINITY;
  #cutAt = Number.NEGATIVE_INFINITY;
  #calmSince = Number.NEGATIVE_INFINITY;

  /** @param workers as many as the person gives */
  note(isCritical: boolean, workers: number, now: number): void {
    if (isCritical) {
      this.#calmSince = now;
      if (now - this.#cutAt < PRESSURE_STEP_MS) return;
      this.#cutAt = now;
      this.#most = Math.max(1, Math.floor(Math.min(this.#most, workers) / 2));
      return;
    }
    for (; this.#most < workers && now - this.#calmSince >= CALM_MS; this.#calmSince += CALM_MS)
      this.#most += Math.max(1, Math.floor(workers / 4));
    if (this.#most >= workers) this.#most = Number.POSITIVE_INFINITY;
  }

  /** Most threads now. */
  get most(): number {
    return this.#most;
  }

  /** When there are more if it stays calm. */
  get moreAt(): number {
    return this.#calmSince + CALM_MS;
  }
}
