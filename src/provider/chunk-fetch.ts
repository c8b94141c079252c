import type { Cid } from "../protocol/cid.ts";
import { failureCode } from "../protocol/failure-code.ts";
import { FailureError } from "../protocol/failure.ts";
import { hashesTo } from "../protocol/hashes-to.ts";
import { CHUNK_TIMEOUT_MS, MOST_CHUNK_FAILURES } from "./limits.ts";

/** Somebody who may have the chunks of a model. */
export interface ChunkSource {
  /** For people, as in "the relay". */
  readonly name: string;
  /** Chunks that are asked for at a time. */
  readonly lanes: number;
  /** Bytes that still have to be hashed; nothing when it has them not. @throws FailureError */
  get(cid: Cid, maxBytes: number, signal: AbortSignal): Promise<Uint8Array<ArrayBuffer> | undefined>;
}

/** What is asked for. */
export interface WantedChunk {
  readonly index: number;
  readonly cid: Cid;
  readonly bytes: number;
}

/** A source and how it does. */
interface Standing {
  readonly source: ChunkSource;
  failures: number;
  /** Why it is asked no more. */
  dropped?: string;
}

/**
 * Fetches chunks from all sources at once. Each source has lanes, each lane takes the next chunk that nobody has taken, so fast
 * sources bring more. Who sends other bytes is asked no more, and who fails or lacks chunks a few times in a row.
 */
export class ChunkFetch {
  readonly #waiting: WantedChunk[];
  readonly #standings: Standing[];
  readonly #keep: (chunk: WantedChunk, bytes: Uint8Array<ArrayBuffer>, source: string) => Promise<void>;
  readonly #signal: AbortSignal;
  #inFlight = 0;
  #changed = Promise.withResolvers<void>();
  /** What ended it all: a store that is full, say. */
  #failure: Error | undefined;

  /** @param keep stores a chunk that hashed right; what it throws ends the fetch. */
  constructor(
    wanted: readonly WantedChunk[],
    sources: readonly ChunkSource[],
    keep: (chunk: WantedChunk, bytes: Uint8Array<ArrayBuffer>, source: string) => Promise<void>,
    signal: AbortSignal,
  ) {
    this.#waiting = [...wanted];
    this.#standings = sources.map((source) => ({ source, failures: 0 }));
    this.#keep = keep;
    this.#signal = signal;
  }

  /** @throws FailureError `function-unavailable` naming what each source said; what `keep` throws; the signal's reason */
  async run(): Promise<void> {
    const wake = (): void => this.#wake();
    this.#signal.addEventListener("abort", wake, { once: true });
    const lanes = this.#standings.flatMap((standing) =>
      Array.from({ length: standing.source.lanes }, () => this.#lane(standing)),
    );
    await Promise.all(lanes);
    this.#signal.removeEventListener("abort", wake);
    this.#signal.throwIfAborted();
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#waiting.length === 0) return;
    const said = this.#standings.map(({ source, dropped = "gave nothing" }) => `${source.name} ${dropped}`);
    const tried = said.length === 0 ? "nobody is known to have it" : said.join("; ");
    throw new FailureError("function-unavailable", `${this.#waiting.length} chunks are missing: ${tried}`);
  }

  async #lane(standing: Standing): Promise<void> {
    while (!this.#isOver && standing.dropped === undefined) {
      const chunk = this.#waiting.shift();
      // oxlint-disable-next-line no-await-in-loop -- a lane has one chunk at a time; without one it waits for what others give up
      await (chunk === undefined ? this.#changed.promise : this.#fetch(chunk, standing));
    }
  }

  get #isOver(): boolean {
    const isEmpty = this.#waiting.length === 0 && this.#inFlight === 0;
    return isEmpty || this.#failure !== undefined || this.#signal.aborted;
  }

  async #fetch(chunk: WantedChunk, standing: Standing): Promise<void> {
    this.#inFlight += 1;
    let isKept = false;
    try {
      const bytes = await this.#ask(chunk, standing);
      if (bytes !== undefined) {
        await this.#keep(chunk, bytes, standing.source.name).catch((error: unknown) => {
          this.#failure ??= error instanceof Error ? error : new Error("not stored", { cause: error });
        });
        isKept = true;
      }
    } finally {
      if (!isKept) this.#waiting.push(chunk);
      this.#inFlight -= 1;
      this.#wake();
    }
  }

  /** The chunk's bytes, or nothing; then it is somebody else's to bring. */
  async #ask(
    { cid, bytes: size }: WantedChunk,
    standing: Standing,
  ): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const { source } = standing;
    try {
      const signal = AbortSignal.any([this.#signal, AbortSignal.timeout(CHUNK_TIMEOUT_MS)]);
      const bytes = await source.get(cid, size, signal);
      if (bytes !== undefined && !(await hashesTo(crypto.subtle, cid, bytes))) {
        standing.dropped = "sent other bytes";
        return undefined;
      }
      if (bytes !== undefined) standing.failures = 0;
      else this.#failed(standing, "has it not");
      return bytes;
    } catch (error) {
      const isMismatch = error instanceof FailureError && error.code === failureCode("content-mismatch");
      if (isMismatch) standing.dropped = "sent other bytes";
      else this.#failed(standing, error instanceof FailureError ? `failed: ${error.detail}` : "failed");
      return undefined;
    }
  }

  #failed(standing: Standing, why: string): void {
    standing.failures += 1;
    if (standing.failures >= MOST_CHUNK_FAILURES) standing.dropped = why;
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }
}
