import { DISPUTE_AFTER_MS } from "./limits.ts";

/** How long outcomes have waited for their requester's signature; a requester that signs nothing for too long is given up (rule 6). */
export class SignatureWatch {
  readonly #onOverdue: () => void;
  /** Since when, or when the last signature came; this machine's clock. */
  #since: number | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(onOverdue: () => void) {
    this.#onOverdue = onOverdue;
  }

  /** Milliseconds; 0 where nothing waits. */
  get waitedMs(): number {
    return this.#since === undefined ? 0 : Date.now() - this.#since;
  }

  /** @param isUnsigned some outcome waits. @param isNews a signature has come */
  note(isUnsigned: boolean, isNews: boolean): void {
    if (isUnsigned && this.#since !== undefined && !isNews) return;
    clearTimeout(this.#timer);
    this.#since = isUnsigned ? Date.now() : undefined;
    if (isUnsigned) this.#timer = setTimeout(this.#onOverdue, DISPUTE_AFTER_MS);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
