import { SPEED_WINDOW_MS } from "./limits.ts";

/** How fast bytes have come in over the last seconds. */
export class TransferSpeed {
  readonly #now: () => number;
  readonly #begun: number;
  #recent: { readonly at: number; readonly bytes: number }[] = [];

  /** @param now milliseconds */
  constructor(now: () => number) {
    this.#now = now;
    this.#begun = now();
  }

  add(bytes: number): void {
    this.#recent.push({ at: this.#now(), bytes });
  }

  get bytesPerSecond(): number {
    const now = this.#now();
    this.#recent = this.#recent.filter(({ at }) => at > now - SPEED_WINDOW_MS);
    const bytes = this.#recent.reduce((sum, each) => sum + each.bytes, 0);
    const ms = Math.min(SPEED_WINDOW_MS, now - this.#begun);
    return ms <= 0 ? 0 : (bytes * 1_000) / ms;
  }
}
