import type { UsageShelf } from "../../storage/usage.ts";
import { USAGE_SAVE_MS } from "./limits.ts";

/** The month of a moment in the local calendar, "2026-11". */
export function monthOf(date: Date): string {
  return `${date.getFullYear()}-${(date.getMonth() + 1).toString().padStart(2, "0")}`;
}

/** Counts the data of the present month, and keeps the count on a shelf where there is one. */
export class MonthCount {
  readonly #shelf: UsageShelf | undefined;
  readonly #month: () => string;
  #of: string;
  #bytes = 0;
  #saving: ReturnType<typeof setTimeout> | undefined;

  /** @param month the present one */
  constructor(shelf: UsageShelf | undefined, month: () => string) {
    this.#shelf = shelf;
    this.#month = month;
    this.#of = month();
  }

  /** Takes up what was counted before. Whatever is counted meanwhile is added to it. */
  async load(): Promise<void> {
    const before = await this.#shelf?.load().catch(() => undefined);
    if (before !== undefined && before.month === this.#of) this.#bytes += before.bytes;
  }

  get bytes(): number {
    this.#turnPage();
    return Math.round(this.#bytes);
  }

  add(bytes: number): void {
    this.#turnPage();
    this.#bytes += bytes;
    if (this.#shelf !== undefined) this.#saving ??= setTimeout(() => this.#save(), USAGE_SAVE_MS);
  }

  /** Writes down what is not yet. */
  stop(): void {
    if (this.#saving !== undefined) this.#save();
  }

  #turnPage(): void {
    const month = this.#month();
    if (month === this.#of) return;
    this.#of = month;
    this.#bytes = 0;
  }

  #save(): void {
    clearTimeout(this.#saving);
    this.#saving = undefined;
    // What cannot be kept counts until the page is closed.
    this.#shelf?.save({ month: this.#of, bytes: this.bytes }).catch(() => undefined);
  }
}
