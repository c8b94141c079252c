import type { FailureError } from "../protocol/failure.ts";

interface Reader {
  chunk(bytes: Uint8Array): void;
  ended(failure: FailureError | undefined): void;
}

/** Callbacks by which an inbox holds back a source that can wait. */
export interface InboxPressure {
  readonly pauseAtBytes: number;
  pause(): void;
  resume(): void;
}

/**
 * What arrived on a stream and is not read yet, for a single reader that may come late: as a callback (nothing is
 * held back) or as an iterator (the source is paused beyond `pauseAtBytes` and resumed when all is read).
 */
export class Inbox {
  readonly #pressure: InboxPressure;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #paused = false;
  #ended: { readonly failure: FailureError | undefined } | undefined;
  #reader: Reader | undefined;
  #taken = false;

  constructor(pressure: InboxPressure) {
    this.#pressure = pressure;
  }

  get unreadBytes(): number {
    return this.#waitingBytes;
  }

  push(chunk: Uint8Array): void {
    if (this.#ended !== undefined) return;
    if (this.#reader !== undefined) {
      this.#reader.chunk(chunk);
      return;
    }
    this.#hold(chunk);
  }

  /** Nothing comes after this; the first call counts. */
  end(failure: FailureError | undefined): void {
    if (this.#ended !== undefined) return;
    this.#ended = { failure };
    this.#reader?.ended(failure);
  }

  /** @throws Error when somebody reads already: two readers are a bug. */
  onBytes(listener: (chunk: Uint8Array) => void, ended: (failure: FailureError | undefined) => void): void {
    this.#take();
    const waiting = this.#drain();
    this.#reader = { chunk: listener, ended };
    for (const chunk of waiting) listener(chunk);
    if (this.#ended !== undefined) ended(this.#ended.failure);
  }

  /** @throws Error when somebody reads already. */
  bytes(): AsyncIterable<Uint8Array> {
    this.#take();
    return this.#iterate();
  }

  async *#iterate(): AsyncGenerator<Uint8Array> {
    let wake = Promise.withResolvers<void>();
    this.#reader = {
      chunk: (chunk) => {
        this.#hold(chunk);
        wake.resolve();
      },
      ended: () => wake.resolve(),
    };
    for (;;) {
      for (const chunk of this.#drain()) yield chunk;
      if (this.#waiting.length > 0) continue;
      if (this.#ended?.failure !== undefined) throw this.#ended.failure;
      if (this.#ended !== undefined) return;
      wake = Promise.withResolvers<void>();
      // oxlint-disable-next-line no-await-in-loop -- a reader waits for the next bytes
      await wake.promise;
    }
  }

  #take(): void {
    if (this.#taken) throw new Error("a stream has one reader");
    this.#taken = true;
  }

  #hold(chunk: Uint8Array): void {
    this.#waiting.push(chunk);
    this.#waitingBytes += chunk.byteLength;
    if (!this.#paused && this.#waitingBytes >= this.#pressure.pauseAtBytes) {
      this.#paused = true;
      this.#pressure.pause();
    }
  }

  #drain(): readonly Uint8Array[] {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#waitingBytes = 0;
    if (this.#paused) {
      this.#paused = false;
      this.#pressure.resume();
    }
    return waiting;
  }
}
