/** A queue between one that produces and one that consumes; the producer waits when `max` items lie unread. */
export class Outbound<T> implements AsyncIterable<T> {
  readonly #max: number;
  readonly #items: T[] = [];
  #ended: { readonly error?: unknown } | undefined;
  #changed = Promise.withResolvers<void>();

  constructor(max: number) {
    this.#max = max;
  }

  get isFull(): boolean {
    return this.#items.length >= this.#max;
  }

  push(item: T): void {
    this.#items.push(item);
    this.#wake();
  }

  end(error?: unknown): void {
    this.#ended ??= error === undefined ? {} : { error };
    this.#wake();
  }

  /** Called after every item that was read. */
  onRead: () => void = () => undefined;
  /** Called when the reader leaves before the end. */
  onLeave: () => void = () => undefined;

  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    let finished = false;
    try {
      for (;;) {
        const item = this.#items.shift();
        if (item !== undefined) {
          this.onRead();
          yield item;
        } else if (this.#ended === undefined) {
          // oxlint-disable-next-line no-await-in-loop -- waits for the next item
          await this.#changed.promise;
        } else {
          finished = true;
          if ("error" in this.#ended) throw this.#ended.error;
          return;
        }
      }
    } finally {
      if (!finished) this.onLeave();
    }
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}
