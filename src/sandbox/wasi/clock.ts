/** Where the program's calendar begins: 2025-01-01T00:00:00Z, in nanoseconds since 1970. */
export const EPOCH_NS = 1_735_689_600_000_000_000n;

/** How far time moves each time the program looks at it: also the resolution it is told. */
export const TICK_NS = 1_000_000n;

/**
 * Time as a program sees it: the same on every machine. It begins at EPOCH_NS (the monotonic clock at 0), moves by one
 * tick at each reading, and jumps to the end of whatever the program sleeps for.
 */
export class Clock {
  #elapsedNs = 0n;

  /** Nanoseconds of the monotonic clock; does not move it. */
  get elapsedNs(): bigint {
    return this.#elapsedNs;
  }

  get realtimeNs(): bigint {
    return EPOCH_NS + this.#elapsedNs;
  }

  tick(): void {
    this.#elapsedNs += TICK_NS;
  }

  /** Moves to a later moment of the monotonic clock; never back. Wraps nowhere: 2^64 ns is the end of time. */
  advanceTo(elapsedNs: bigint): void {
    if (elapsedNs > this.#elapsedNs) this.#elapsedNs = elapsedNs;
  }
}
