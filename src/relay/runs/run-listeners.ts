import type { Cid } from "../../protocol/cid.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import { FailureError } from "../../protocol/failure.ts";
import { MAX_RUN_STREAMS, MAX_RUN_STREAMS_PER_ADDRESS } from "./limits.ts";

/** Somebody who waits for news of a run. */
export interface RunListener {
  /** Resolves when there may be something new, or after `ms`. */
  wait(ms: number): Promise<void>;
  readonly ended: boolean;
  /** Wakes who waits. Idempotent. */
  end(): void;
}

class Waiting implements RunListener {
  readonly payer: PeerId;
  #isNew = true;
  ended = false;
  #wake: () => void = () => undefined;
  readonly #onEnd: () => void;

  constructor(payer: PeerId, onEnd: () => void) {
    this.payer = payer;
    this.#onEnd = onEnd;
  }

  tell(): void {
    this.#isNew = true;
    this.#wake();
  }

  end(): void {
    if (this.ended) return;
    this.ended = true;
    this.#onEnd();
    this.#wake();
  }

  async wait(ms: number): Promise<void> {
    if (!this.#isNew && !this.ended)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    this.#isNew = false;
  }
}

/** Who listens to which run. */
export class RunListeners {
  readonly #listeners = new Map<Cid, Set<Waiting>>();
  readonly #perAddress = new Map<string, number>();
  #open = 0;

  /** @param payer of the run. @throws FailureError `rate-limited` when too many listen. */
  listen(run: Cid, payer: PeerId, address: string): RunListener {
    const mine = this.#perAddress.get(address) ?? 0;
    if (this.#open >= MAX_RUN_STREAMS || mine >= MAX_RUN_STREAMS_PER_ADDRESS)
      throw new FailureError("rate-limited", "too many event streams are open");
    this.#open += 1;
    this.#perAddress.set(address, mine + 1);
    const listeners = this.#listeners.get(run) ?? new Set();
    const waiting = new Waiting(payer, () => {
      this.#open -= 1;
      listeners.delete(waiting);
      if (listeners.size === 0) this.#listeners.delete(run);
      const left = (this.#perAddress.get(address) ?? 1) - 1;
      if (left === 0) this.#perAddress.delete(address);
      else this.#perAddress.set(address, left);
    });
    this.#listeners.set(run, listeners.add(waiting));
    return waiting;
  }

  /** Something has changed about the money of these accounts. */
  tellPayers(accounts: ReadonlySet<PeerId>): void {
    for (const listeners of this.#listeners.values())
      for (const waiting of listeners) if (accounts.has(waiting.payer)) waiting.tell();
  }

  tell(run: Cid): void {
    for (const waiting of this.#listeners.get(run) ?? []) waiting.tell();
  }

  close(): void {
    for (const listeners of this.#listeners.values()) for (const waiting of listeners) waiting.end();
  }
}
