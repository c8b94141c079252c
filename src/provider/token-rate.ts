/** Rates are over this span, milliseconds. */
const WINDOW_MS = 10_000;

/** Tokens per second, lately. */
export class TokenRate {
  readonly #now: () => number;
  #recent: { readonly at: number; readonly tokens: number }[] = [];

  /** @param now milliseconds of any clock that only goes forward */
  constructor(now: () => number) {
    this.#now = now;
  }

  count(tokens: number): void {
    this.#recent.push({ at: this.#now(), tokens });
  }

  get perSecond(): number {
    const since = this.#now() - WINDOW_MS;
    this.#recent = this.#recent.filter(({ at }) => at > since);
    const tokens = this.#recent.reduce((sum, each) => sum + each.tokens, 0);
    return (tokens * 1_000) / WINDOW_MS;
  }
}
