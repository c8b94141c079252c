/** A timer for a task's deadline that stands still while its thread rests. */
export class StretchedDeadline {
  readonly #onOver: () => void;
  #overAt: number;
  #timer: ReturnType<typeof setTimeout>;

  constructor(deadlineMs: number, onOver: () => void) {
    this.#onOver = onOver;
    this.#overAt = performance.now() + deadlineMs;
    this.#timer = setTimeout(onOver, deadlineMs);
  }

  /** The thread rests meanwhile, which is not the task's time. */
  async during(rest: Promise<void>): Promise<void> {
    const begun = performance.now();
    clearTimeout(this.#timer);
    await rest;
    const now = performance.now();
    this.#overAt += now - begun;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#onOver, Math.max(0, this.#overAt - now));
  }

  end(): void {
    clearTimeout(this.#timer);
  }
}
