/** Milliseconds that a thread computes without listening. With one step of a model beyond it, work ends within 100 ms. */
const MOST_MS = 25;

/** Multiply-adds of a step between two breaks: below 30 ms at the 40 billion a second of one core with fixed-width SIMD. */
export const STEP_WORK: number = 2 ** 30;

/** Lets a thread that computes hear of a stop: without breaks no message reaches it. */
export class Breaks {
  readonly #signal: AbortSignal | undefined;
  #last: number = performance.now();

  /** Without a signal there are no breaks. @throws the signal's reason */
  constructor(signal: AbortSignal | undefined) {
    signal?.throwIfAborted();
    this.#signal = signal;
  }

  /** Listens, where the last break is long ago. @throws the signal's reason */
  async take(): Promise<void> {
    const signal = this.#signal;
    if (signal === undefined || performance.now() - this.#last < MOST_MS) return;
    await nextTurn();
    signal.throwIfAborted();
    this.#last = performance.now();
  }

  /** How many rows a step may have, each of so many multiply-adds. */
  rows(most: number, workOfRow: number): number {
    if (this.#signal === undefined) return most;
    return Math.max(1, Math.min(most, Math.floor(STEP_WORK / workOfRow)));
  }
}

/** After all messages that have arrived. A timer would wait for 4 ms. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    const answer = (): void => {
      port1.close();
      resolve();
    };
    port1.addEventListener("message", answer, { once: true });
    port1.start();
    port2.postMessage(undefined);
  });
}
