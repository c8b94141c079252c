/** How much comes in per second, over the last seconds or since the beginning, whichever is shorter. */
export class RecentRate {
  readonly #windowMs: number;
  readonly #now: () => number;
  readonly #begun: number;
  #recent: { readonly at: number; readonly amount: number }[] = [];

  /** @param now milliseconds of any clock that only goes forward */
  constructor(windowMs: number, now: () => number) {
    this.#windowMs = windowMs;
    this.#now = now;
    this.#begun = now();
  }

  add(amount: number): void {
    this.#recent.push({ at: this.#now(), amount });
  }

  get perSecond(): number {
    const now = this.#now();
    this.#recent = this.#recent.filter(({ at }) => at > now - this.#windowMs);
    const amount = this.#recent.reduce((sum, each) => sum + each.amount, 0);
    const ms = Math.min(this.#windowMs, now - this.#begun);
    return ms <= 0 ? 0 : (amount * 1_000) / ms;
  }
}
