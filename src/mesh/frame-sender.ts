import { FailureError } from "../protocol/failure.ts";
import { joinInto, totalBytes } from "./frame-parser.ts";
import { COALESCE_BYTES, FRAME_WINDOW_BYTES } from "./limits.ts";
import type { MeshStream } from "./mesh.ts";

const AT_ONCE: Promise<void> = Promise.resolve();

/** Microtasks without a new frame after which what is queued goes out: an async handler that answers takes three to six. */
const PATIENCE_MICROTASKS = 8;

/**
 * The sending half of a frame stream: joins the small frames of one tick into one send within that tick, and sends no
 * more than the reader's window allows. The last frame may overshoot the window, so that any frame fits at all.
 */
export class FrameSender {
  readonly #stream: MeshStream;
  #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  #credit = FRAME_WINDOW_BYTES;
  #pumping = false;
  #failure: FailureError | undefined;
  #moreCredit: PromiseWithResolvers<void> | undefined;
  #drained: PromiseWithResolvers<void> | undefined;

  constructor(stream: MeshStream) {
    this.#stream = stream;
  }

  /** Resolves when more may be sent: at once while little is queued. @throws FailureError when the stream is over. */
  send(frame: Uint8Array): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    this.#queue.push(frame);
    this.#queuedBytes += frame.byteLength;
    if (!this.#pumping) {
      this.#pumping = true;
      void this.#pump();
    }
    return this.#queuedBytes <= COALESCE_BYTES && this.#credit > 0 ? AT_ONCE : this.drained();
  }

  /** Resolves when every queued frame is handed to the stream. */
  drained(): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (!this.#pumping) return AT_ONCE;
    if (this.#drained === undefined) {
      this.#drained = Promise.withResolvers<void>();
      this.#drained.promise.catch(() => undefined);
    }
    return this.#drained.promise;
  }

  /** Something is on its way out. */
  get isBusy(): boolean {
    return this.#pumping;
  }

  /** The reader has taken this many bytes of frames. */
  addCredit(bytes: number): void {
    this.#credit += bytes;
    this.#moreCredit?.resolve();
  }

  /** The stream is over: what waits is dropped, and who waits is told. The first call counts. */
  fail(failure: FailureError): void {
    this.#failure ??= failure;
    this.#queue = [];
    this.#queuedBytes = 0;
    this.#moreCredit?.resolve();
    this.#drained?.reject(this.#failure);
  }

  async #pump(): Promise<void> {
    try {
      await this.#moreOfThisTick();
      while (this.#queue.length > 0) {
        // oxlint-disable-next-line no-await-in-loop -- one send after the other keeps the order
        await (this.#credit > 0 ? this.#stream.send(this.#takeBatch()) : this.#creditArrives());
      }
      this.#drained?.resolve();
    } catch (error) {
      this.fail(
        error instanceof FailureError
          ? error
          : new FailureError("disconnected", "sending failed", { cause: error }),
      );
    }
    this.#drained = undefined;
    this.#pumping = false;
  }

  /**
   * Waits while the tick still adds frames: a reader that answers each frame after a few promises adds one every few
   * microtasks. No other task runs in between.
   */
  async #moreOfThisTick(): Promise<void> {
    let patience = PATIENCE_MICROTASKS;
    let seen = this.#queue.length;
    while (patience > 0 && this.#queuedBytes < COALESCE_BYTES) {
      // oxlint-disable-next-line no-await-in-loop -- a microtask each
      await AT_ONCE;
      patience = this.#queue.length > seen ? PATIENCE_MICROTASKS : patience - 1;
      seen = this.#queue.length;
    }
  }

  async #creditArrives(): Promise<void> {
    this.#moreCredit = Promise.withResolvers<void>();
    await this.#moreCredit.promise;
    this.#moreCredit = undefined;
  }

  /** The frames that go out together, at least one. */
  #takeBatch(): Uint8Array {
    let count = 0;
    let bytes = 0;
    for (const frame of this.#queue) {
      if (count > 0 && (bytes + frame.byteLength > COALESCE_BYTES || bytes >= this.#credit)) break;
      count += 1;
      bytes += frame.byteLength;
    }
    const batch = this.#queue.splice(0, count);
    this.#credit -= bytes;
    this.#queuedBytes -= bytes;
    const [only] = batch;
    return batch.length === 1 && only !== undefined ? only : join(batch);
  }
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(totalBytes(parts));
  joinInto(joined, 0, parts);
  return joined;
}
