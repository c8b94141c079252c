interface Stretch {
  readonly from: number;
  /** Absent while it goes on. */
  to?: number;
}

/** Counts how long threads were busy, over the last `windowMs`. Times are milliseconds of any clock that only goes forward. */
export class BusyMeter {
  readonly #windowMs: number;
  #stretches: Stretch[] = [];

  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  /** A thread becomes busy. @returns ends that, once */
  begin(now: number): (now: number) => void {
    const stretch: Stretch = { from: now };
    this.#stretches.push(stretch);
    return (end) => {
      stretch.to ??= end;
    };
  }

  /** Milliseconds that all threads together were busy, of the window that ends now. */
  busyMs(now: number): number {
    const since = now - this.#windowMs;
    this.#stretches = this.#stretches.filter(({ to }) => to === undefined || to > since);
    return this.#stretches.reduce(
      (sum, { from, to = now }) => sum + Math.max(0, to - Math.max(from, since)),
      0,
    );
  }
}
