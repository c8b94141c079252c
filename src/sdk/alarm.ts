/**
 * One timer that is set again and again. A timer for each of thousands of pauses a second would cost more than a small task,
 * so one that goes off early enough stays.
 */
export class Alarm {
  readonly #ring: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** When it goes off, by performance.now(). */
  #at = 0;

  constructor(ring: () => void) {
    this.#ring = ring;
  }

  /** Rings then, or before. @param at by performance.now() */
  setFor(at: number): void {
    if (this.#timer !== undefined && at >= this.#at) return;
    clearTimeout(this.#timer);
    this.#at = at;
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        this.#ring();
      },
      Math.max(0, at - performance.now()),
    );
  }

  clear(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
