/** The samples of the last while, a bounded number of them. */
export class Samples {
  readonly #most: number;
  readonly #spanMs: number;
  #values: { readonly at: number; readonly value: number }[] = [];

  /** @param spanMs older samples do not count */
  constructor(most: number, spanMs: number) {
    this.#most = most;
    this.#spanMs = spanMs;
  }

  add(value: number, nowMs: number): void {
    this.#values.push({ at: nowMs, value });
    if (this.#values.length >= 2 * this.#most) this.#values = this.#values.slice(-this.#most);
  }

  /** Nearest rank: the value that so many of a hundred samples do not exceed. Nothing where there are none. */
  percentiles(
    nowMs: number,
  ):
    | { readonly samples: number; readonly p50: number; readonly p90: number; readonly p99: number }
    | undefined {
    const recent = this.#values.slice(-this.#most).filter(({ at }) => at > nowMs - this.#spanMs);
    const sorted = Float64Array.from(recent, ({ value }) => value).toSorted();
    if (sorted.length === 0) return undefined;
    const rank = (share: number): number =>
      Math.round(sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0);
    return { samples: sorted.length, p50: rank(0.5), p90: rank(0.9), p99: rank(0.99) };
  }
}
