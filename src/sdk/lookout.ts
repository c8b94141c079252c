import { FrameStream } from "../mesh/frame-stream.ts";
import type { Mesh } from "../mesh/mesh.ts";
import { type Cid, cidBytes, cidFromBytes } from "../protocol/cid.ts";
import { failureCode } from "../protocol/failure-code.ts";
import { FailureError } from "../protocol/failure.ts";
import { WATCH_PROTOCOL } from "../protocol/protocol-id.ts";
import { FRAME } from "../protocol/work-frame.ts";
import { WATCH_OPEN_MS, WATCH_RETRY_MAX_MS, WATCH_RETRY_MIN_MS } from "./limits.ts";

export interface LookoutOptions {
  readonly mesh: Pick<Mesh, "dial">;
  /** Multiaddr of the relay. */
  readonly relay: string;
}

/**
 * Hears from the relay which providers have fallen silent, on one stream for all leases of a requester. Without the relay
 * nothing is lost but time: sessions notice by themselves, a few seconds later.
 */
export class Lookout {
  readonly #options: LookoutOptions;
  readonly #watched = new Map<Cid, () => void>();
  readonly #closed = new AbortController();
  #frames: FrameStream | undefined;
  #opening = false;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #retryMs = WATCH_RETRY_MIN_MS;

  constructor(options: LookoutOptions) {
    this.#options = options;
  }

  /** @param onQuiet called whenever the relay does not hear the lease's provider. @returns a function that ends this */
  watch(lease: Cid, onQuiet: () => void): () => void {
    this.#watched.set(lease, onQuiet);
    if (this.#frames !== undefined) this.#ask(this.#frames, lease);
    else this.#openSoon();
    return () => void this.#watched.delete(lease);
  }

  close(): void {
    this.#closed.abort();
    clearTimeout(this.#retry);
    void this.#frames?.close().catch(() => undefined);
  }

  #openSoon(): void {
    if (this.#opening || this.#retry !== undefined || this.#closed.signal.aborted) return;
    this.#opening = true;
    void this.#open();
  }

  async #open(): Promise<void> {
    const { mesh, relay } = this.#options;
    const signal = AbortSignal.any([this.#closed.signal, AbortSignal.timeout(WATCH_OPEN_MS)]);
    try {
      const frames = new FrameStream(await mesh.dial(relay, WATCH_PROTOCOL, { signal }));
      this.#opening = false;
      this.#frames = frames;
      frames.onFrame(
        (kind, payload) => this.#heard(kind, payload),
        () => this.#lost(),
      );
      for (const lease of this.#watched.keys()) this.#ask(frames, lease);
    } catch (error) {
      this.#opening = false;
      // An older relay does not know what a watch stream is.
      if (error instanceof FailureError && error.code === failureCode("version-mismatch")) this.close();
      else this.#lost();
    }
  }

  #ask(frames: FrameStream, lease: Cid): void {
    frames.sendFrame(FRAME.watch, cidBytes(lease)).catch(() => undefined);
  }

  #heard(kind: number, payload: Uint8Array): void {
    this.#retryMs = WATCH_RETRY_MIN_MS;
    if (kind === FRAME.quiet) this.#watched.get(cidFromBytes(payload))?.();
  }

  /** Opens it again after a while, if anything is watched by then. */
  #lost(): void {
    this.#frames = undefined;
    if (this.#closed.signal.aborted || this.#retry !== undefined) return;
    this.#retry = setTimeout(() => {
      this.#retry = undefined;
      if (this.#watched.size > 0) this.#openSoon();
    }, this.#retryMs);
    this.#retryMs = Math.min(this.#retryMs * 2, WATCH_RETRY_MAX_MS);
  }
}
