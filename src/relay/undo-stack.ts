/** What has been started, to be stopped in reverse order, also when starting fails half way. */
export class UndoStack {
  readonly #steps: (() => void | Promise<void>)[] = [];
  #running: Promise<void> | undefined;

  push(step: () => void | Promise<void>): void {
    this.#steps.push(step);
  }

  /** Runs every step, newest first; one that fails does not keep the others from running. Idempotent. @throws the first failure. */
  run(): Promise<void> {
    this.#running ??= this.#runAll();
    return this.#running;
  }

  async #runAll(): Promise<void> {
    const failures: unknown[] = [];
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) {
      try {
        // oxlint-disable-next-line no-await-in-loop -- in reverse order, one after the other
        await step();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }
}
