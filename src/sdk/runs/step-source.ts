import type { StepInput } from "../work-queue.ts";

/** The inputs of one job of a run, as they become ready. */
export class StepSource implements AsyncIterable<StepInput> {
  readonly #waiting: StepInput[] = [];
  #asked: PromiseWithResolvers<IteratorResult<StepInput>> | undefined;
  #isEnded = false;

  push(input: StepInput): void {
    const asked = this.#asked;
    this.#asked = undefined;
    if (asked === undefined) this.#waiting.push(input);
    else asked.resolve({ done: false, value: input });
  }

  /** Takes one back that nobody has taken. @returns whether it is back */
  drop(input: StepInput): boolean {
    const place = this.#waiting.indexOf(input);
    if (place >= 0) this.#waiting.splice(place, 1);
    return place >= 0;
  }

  /** None will follow. */
  end(): void {
    this.#isEnded = true;
    this.#asked?.resolve({ done: true, value: undefined });
    this.#asked = undefined;
  }

  [Symbol.asyncIterator](): AsyncIterator<StepInput> {
    return {
      next: () => {
        const value = this.#waiting.shift();
        if (value !== undefined) return Promise.resolve({ done: false, value });
        if (this.#isEnded) return Promise.resolve({ done: true, value: undefined });
        this.#asked ??= Promise.withResolvers();
        return this.#asked.promise;
      },
      return: () => {
        this.#waiting.length = 0;
        this.end();
        return Promise.resolve({ done: true, value: undefined });
      },
    };
  }
}
