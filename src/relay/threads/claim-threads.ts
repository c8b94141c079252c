import { Worker } from "node:worker_threads";
import type { SignatureClaim } from "../../protocol/signature.ts";
import { type EntryClaim, packClaims } from "./claim-batch.ts";

const ENTRY = new URL("claim-main.ts", import.meta.url);

/** Claims in one message to a thread: 20 ms of work, so that messages cost nothing and all threads end together. */
const CLAIMS_AT_ONCE = 256;

/** Messages that a thread has before it: one to work on and one to go on with. More would only take memory. */
const QUEUED = 2;

interface Answer {
  readonly count: number;
  readonly forged: readonly number[];
}

function isAnswer(value: unknown): value is Answer {
  return typeof value === "object" && value !== null && "count" in value && "forged" in value;
}

interface Thread {
  readonly worker: Worker;
  queued: number;
}

/** Verifies signatures on several threads at once. */
export class ClaimThreads {
  readonly #threads: readonly Thread[];
  readonly #forged: number[] = [];
  #waiting: EntryClaim[] = [];
  #verified = 0;
  #fault: Error | undefined;
  #wake: (() => void) | undefined;

  /** @param count threads, as many as there are cores. */
  constructor(count: number) {
    this.#threads = Array.from({ length: count }, () => this.#start());
  }

  /** Signatures verified so far. */
  get verified(): number {
    return this.#verified;
  }

  #start(): Thread {
    const thread: Thread = { worker: new Worker(ENTRY, { env: {}, argv: [] }), queued: 0 };
    thread.worker.on("message", (value: unknown) => {
      if (!isAnswer(value)) return;
      thread.queued -= 1;
      this.#verified += value.count;
      this.#forged.push(...value.forged);
      this.#wake?.();
    });
    thread.worker.on("error", (error) => {
      this.#fault ??= error instanceof Error ? error : new Error(String(error));
      this.#wake?.();
    });
    return thread;
  }

  /** Takes an entry's signatures; waits while all threads have enough to do. @throws what a thread died of */
  async add(index: number, claims: readonly SignatureClaim[]): Promise<void> {
    for (const claim of claims) this.#waiting.push({ index, ...claim });
    if (this.#waiting.length >= CLAIMS_AT_ONCE) await this.#send();
  }

  async #send(): Promise<void> {
    const idle = await this.#until(() => this.#threads.find(({ queued }) => queued < QUEUED));
    const packed = packClaims(this.#waiting);
    this.#waiting = [];
    idle.queued += 1;
    idle.worker.postMessage(packed, [packed.buffer]);
  }

  async #until<T>(found: () => T | undefined): Promise<T> {
    for (;;) {
      if (this.#fault !== undefined) throw this.#fault;
      const result = found();
      if (result !== undefined) return result;
      // oxlint-disable-next-line no-await-in-loop -- asked again whenever a thread has answered
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Resolves when all that was given is verified. @returns places of entries with a signature that does not hold, in order */
  async finish(): Promise<readonly number[]> {
    if (this.#waiting.length > 0) await this.#send();
    await this.#until(() => (this.#threads.every(({ queued }) => queued === 0) ? true : undefined));
    return [...new Set(this.#forged)].toSorted((a, b) => a - b);
  }

  /** Ends the threads, whatever they do. */
  async stop(): Promise<void> {
    await Promise.all(this.#threads.map(async ({ worker }) => worker.terminate()));
  }
}
