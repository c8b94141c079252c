import type { ValueRef } from "../../plan/runner-ports.ts";
import type { Cid } from "../../protocol/cid.ts";
import { FailureError } from "../../protocol/failure.ts";
import { HELD_PATIENCE_MS } from "../limits.ts";
import type { HeldOutput } from "../task-answers.ts";

interface Waiting {
  readonly value: ValueRef;
  readonly held: Set<HeldOutput>;
  readonly timer: ReturnType<typeof setTimeout>;
  readonly over: PromiseWithResolvers<void>;
  isFetching: boolean;
}

/**
 * Values that stay at their providers and that nobody has yet. A provider is not paid for what it does not give: where no other
 * peer has worked with a value in time, it is fetched here.
 */
export class HeldValues {
  readonly #fetch: (value: ValueRef, signal: AbortSignal) => Promise<Uint8Array>;
  readonly #waiting = new Map<Cid, Waiting>();

  constructor(fetch: (value: ValueRef, signal: AbortSignal) => Promise<Uint8Array>) {
    this.#fetch = fetch;
  }

  hold(value: ValueRef, held: HeldOutput): void {
    const known = this.#waiting.get(value.cid);
    if (known !== undefined) {
      known.held.add(held);
      return;
    }
    const timer = setTimeout(() => void this.#take(waiting), HELD_PATIENCE_MS);
    const waiting: Waiting = {
      value,
      held: new Set([held]),
      timer,
      over: Promise.withResolvers(),
      isFetching: false,
    };
    this.#waiting.set(value.cid, waiting);
  }

  /** Somebody has it. */
  taken(cid: Cid): void {
    const waiting = this.#waiting.get(cid);
    if (waiting === undefined) return;
    for (const held of waiting.held) held.taken();
    this.#end(waiting);
  }

  /** Takes all that nobody has taken. */
  async settle(): Promise<void> {
    await Promise.all(
      [...this.#waiting.values()].map((waiting) => {
        void this.#take(waiting);
        return waiting.over.promise;
      }),
    );
  }

  async #take(waiting: Waiting): Promise<void> {
    if (waiting.isFetching) return;
    waiting.isFetching = true;
    clearTimeout(waiting.timer);
    const { cid } = waiting.value;
    try {
      await this.#fetch(waiting.value, new AbortController().signal);
      this.taken(cid);
    } catch (error) {
      const detail = error instanceof FailureError ? error.detail : "it could not be fetched";
      for (const held of waiting.held) held.refused(detail);
      this.#end(waiting);
    }
  }

  #end(waiting: Waiting): void {
    clearTimeout(waiting.timer);
    this.#waiting.delete(waiting.value.cid);
    waiting.over.resolve();
  }
}
