import type { Logger } from "pino";
import type { Books } from "./books.ts";
import { SETTLE_MS } from "./limits.ts";

/** What has to happen without being asked: leases past their time are settled, once a second. */
export class Upkeep {
  readonly #books: Books;
  readonly #log: Logger;
  readonly #nowMs: () => number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #running: Promise<void> = Promise.resolve();
  #stopped = false;
  #lastGoodMs: number;

  constructor(books: Books, log: Logger, nowMs: () => number) {
    this.#books = books;
    this.#log = log;
    this.#nowMs = nowMs;
    this.#lastGoodMs = nowMs();
  }

  /** When the books last answered, milliseconds since 1970. */
  get lastGoodMs(): number {
    return this.#lastGoodMs;
  }

  start(): void {
    this.#timer = setTimeout(() => {
      this.#running = this.#once();
    }, SETTLE_MS);
  }

  /** Resolves when nothing runs any more. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#running;
  }

  async #once(): Promise<void> {
    try {
      const settled = await this.#books.settleDue();
      this.#lastGoodMs = this.#nowMs();
      if (settled > 0) this.#log.info({ settled }, "settled what was due");
    } catch (error) {
      this.#log.error({ err: error }, "settling failed");
    }
    if (!this.#stopped) this.start();
  }
}
