import type { RelayClient } from "../mesh/relay-client.ts";
import { failureCode } from "../protocol/failure-code.ts";
import { FailureError } from "../protocol/failure.ts";
import type { OpeningItem, OpeningShelf } from "../storage/openings.ts";
import { atMost } from "./at-most.ts";
import { OPENING_KEPT_MS, OPENING_RETRY_MAX_MS, OPENING_RETRY_MIN_MS, OPENING_STOP_MS } from "./limits.ts";
import { isAway } from "./relay-away.ts";

export interface OpeningQueueOptions {
  readonly shelf: OpeningShelf;
  readonly client: Pick<RelayClient, "open" | "hasBlob" | "putBlob">;
  /** Origin of the relay. */
  readonly origin: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** `opened`: acknowledged since this start. */
  readonly onChange: (openings: { readonly waiting: number; readonly opened: number }) => void;
}

const EXPIRED = failureCode("expired");

/** Drawn outcomes on their way to the relay, most urgent first: each is sent until it is acknowledged or, by the relay's clock, too late. */
export class OpeningQueue {
  readonly #options: OpeningQueueOptions;
  /** Where the disk is full: sent while the tab lives. */
  readonly #unkept = new Set<OpeningItem>();
  #opened = 0;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #retryMs = OPENING_RETRY_MIN_MS;
  #passing: Promise<void> | undefined;
  #isWanted = false;
  #stopped = false;

  constructor(options: OpeningQueueOptions) {
    this.#options = options;
  }

  /** Sends what an earlier start has left. */
  start(): void {
    this.sendSoon();
  }

  /** Tries once more, for a moment. What is left is sent by the next start. */
  async stop(): Promise<void> {
    await atMost(OPENING_STOP_MS, this.flush());
    this.#stopped = true;
    clearTimeout(this.#retry);
  }

  /** Keeps an opening, on the disk unless that is full. It is sent with the next `sendSoon`. */
  async keep(item: OpeningItem): Promise<void> {
    try {
      await this.#options.shelf.put([item]);
    } catch {
      this.#unkept.add(item);
    }
  }

  /** Resolves when a pass over all that waits has ended, whether or not all was sent. */
  async flush(): Promise<void> {
    this.sendSoon();
    await this.#passing;
  }

  sendSoon(): void {
    this.#isWanted = true;
    this.#passing ??= this.#passes().finally(() => {
      this.#passing = undefined;
    });
  }

  /** Passes until nothing has come meanwhile. */
  async #passes(): Promise<void> {
    clearTimeout(this.#retry);
    let isDone = true;
    while (this.#isWanted && !this.#stopped) {
      this.#isWanted = false;
      try {
        // oxlint-disable-next-line no-await-in-loop -- one pass after the other
        isDone = await this.#pass();
      } catch {
        // The disk or the relay is away.
        isDone = false;
      }
    }
    if (isDone) this.#retryMs = OPENING_RETRY_MIN_MS;
    else if (!this.#stopped) this.#retryLater();
  }

  #retryLater(): void {
    this.#retry = setTimeout(() => this.sendSoon(), this.#retryMs);
    this.#retryMs = Math.min(this.#retryMs * 2, OPENING_RETRY_MAX_MS);
  }

  /** @returns whether nothing waits any more. @throws FailureError when the relay is away, or what the disk says */
  async #pass(): Promise<boolean> {
    const { shelf, origin, now } = this.#options;
    const past = now() - OPENING_KEPT_MS;
    for (const item of this.#unkept) {
      // oxlint-disable-next-line no-await-in-loop -- a relay that is back is not stormed
      if (item.keptAt < past || (await this.#send(item))) this.#unkept.delete(item);
    }
    await shelf.removeOld(past);
    await this.#tell();
    for (let passed = 0; ;) {
      // oxlint-disable-next-line no-await-in-loop
      const item = await shelf.next(origin, passed);
      if (item === undefined) return passed === 0 && this.#unkept.size === 0;
      // oxlint-disable-next-line no-await-in-loop
      if (await this.#send(item)) await shelf.remove(item);
      else passed += 1;
      // oxlint-disable-next-line no-await-in-loop
      await this.#tell();
    }
  }

  /** @returns whether it is over; if not, the relay may take it another time. @throws FailureError when the relay is away */
  async #send({ envelope, blob }: OpeningItem): Promise<boolean> {
    const { client } = this.#options;
    try {
      if (blob !== undefined && !(await client.hasBlob(blob.cid))) await client.putBlob(blob.cid, blob.bytes);
      await client.open(envelope);
    } catch (error) {
      if (isAway(error)) throw error;
      return error instanceof FailureError && error.code === EXPIRED;
    }
    this.#opened += 1;
    return true;
  }

  async #tell(): Promise<void> {
    const { shelf, origin, onChange } = this.#options;
    onChange({ waiting: (await shelf.count(origin)) + this.#unkept.size, opened: this.#opened });
  }
}
