import type { RunEvent } from "../../plan/runner-ports.ts";

/** What happens in a run, for any number of readers: each gets all of it, from the beginning. */
export class RunEvents implements AsyncIterable<RunEvent> {
  readonly #told: RunEvent[] = [];
  #news = Promise.withResolvers<void>();
  #isOver = false;

  tell(event: RunEvent): void {
    this.#told.push(event);
    this.#wake();
  }

  /** Nothing more will happen. */
  end(): void {
    this.#isOver = true;
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<RunEvent> {
    for (let at = 0; ;) {
      const event = this.#told[at];
      if (event !== undefined) {
        at += 1;
        yield event;
      } else if (this.#isOver) return;
      // oxlint-disable-next-line no-await-in-loop -- waits for the next event
      else await this.#news.promise;
    }
  }

  #wake(): void {
    this.#news.resolve();
    this.#news = Promise.withResolvers();
  }
}
