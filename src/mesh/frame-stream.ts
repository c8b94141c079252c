import { FailureError } from "../protocol/failure.ts";
import { MAX_FRAME_BYTES } from "../protocol/limits.ts";
import { encodeFrame, FRAME_HEADER_BYTES, FrameParser, totalBytes } from "./frame-parser.ts";
import { FrameSender } from "./frame-sender.ts";
import { FRAME_CREDIT_STEP_BYTES, FRAME_WINDOW_BYTES } from "./limits.ts";
import type { MeshStream } from "./mesh.ts";

/** Reserved kind. Its payload is a u32be: bytes of frames, headers included, that its sender has taken and allows again. */
export const CREDIT_KIND = 0;
const CREDIT_PAYLOAD_BYTES = 4;

export interface Frame {
  /** 1 to 255. */
  readonly kind: number;
  readonly payload: Uint8Array;
}

/** A promise holds back the frames that follow, and in the end the sender, until it settles. */
export type FrameHandler = (kind: number, payload: Uint8Array) => void | Promise<void>;

export interface FrameStreamOptions {
  /** Payload limit of a kind, in bytes. Default `MAX_FRAME_BYTES` for every kind; never above it. */
  readonly maxBytes?: (kind: number) => number;
}

/**
 * Frames over a stream of bytes, with back-pressure that reaches from the handler to the far sender on any transport:
 * at most `FRAME_WINDOW_BYTES` (and one frame) are under way unread. Both sides must frame the stream.
 */
export class FrameStream {
  readonly stream: MeshStream;
  readonly #sender: FrameSender;
  readonly #parser: FrameParser;
  readonly #maxBytes: (kind: number) => number;
  #handler: FrameHandler | undefined;
  #onEnded: ((failure: FailureError | undefined) => void) | undefined;
  #waiting: Frame[] = [];
  #busy = false;
  #unreadBytes = 0;
  #takenBytes = 0;
  #receivedBytes = 0;
  #ended: { readonly failure: FailureError | undefined } | undefined;

  constructor(stream: MeshStream, options: FrameStreamOptions = {}) {
    const { maxBytes } = options;
    this.stream = stream;
    this.#maxBytes =
      maxBytes === undefined ? () => MAX_FRAME_BYTES : (kind) => Math.min(maxBytes(kind), MAX_FRAME_BYTES);
    this.#sender = new FrameSender(stream);
    this.#parser = new FrameParser(
      (kind) => (kind === CREDIT_KIND ? CREDIT_PAYLOAD_BYTES : this.#maxBytes(kind)),
      (kind, payload) => this.#arrived(kind, payload),
    );
    stream.onBytes(
      (chunk) => this.#parse(chunk),
      (failure) => this.#streamEnded(failure),
    );
  }

  /** Bytes that have come so far: while they grow, the other end lives. */
  get receivedBytes(): number {
    return this.#receivedBytes;
  }

  /** Frames wait for the network or the reader, so that the next one will be late. */
  get isClogged(): boolean {
    return this.#sender.isBusy;
  }

  /**
   * Sends one frame; small frames of the same tick leave together before the tick ends. The parts are copied at once.
   * Resolves when more may be sent.
   * @throws FailureError `frame-too-large` (nothing is sent, the stream stays), `disconnected`, or why it was aborted.
   */
  sendFrame(kind: number, ...parts: readonly Uint8Array[]): Promise<void> {
    if (!Number.isInteger(kind) || kind <= CREDIT_KIND || kind > 255)
      throw new RangeError(`frame kind ${kind}`);
    const length = totalBytes(parts);
    if (length > this.#maxBytes(kind)) {
      const detail = `frame of kind ${kind}: ${length} bytes, at most ${this.#maxBytes(kind)}`;
      return Promise.reject(new FailureError("frame-too-large", detail));
    }
    return this.#sender.send(encodeFrame(kind, parts));
  }

  /**
   * Calls `handler` for each frame in order, in the task in which it arrived unless an earlier call still waits. A payload
   * may be kept, not changed. `ended` is called once: without a failure when the peer closed between two frames. What
   * the handler throws aborts the stream. One reader per stream.
   */
  onFrame(handler: FrameHandler, ended: (failure: FailureError | undefined) => void): void {
    if (this.#handler !== undefined) throw new Error("a frame stream has one reader");
    this.#handler = handler;
    this.#onEnded = ended;
    this.#deliverWaiting();
  }

  /** The same as an iterator: the next frame is taken when it is asked for. Leaving the loop early stops reading. @throws FailureError */
  async *frames(): AsyncGenerator<Frame> {
    let next: { readonly frame: Frame; readonly taken: () => void } | undefined;
    let over: { readonly failure: FailureError | undefined } | undefined;
    let wake = Promise.withResolvers<void>();
    this.onFrame(
      (kind, payload) => {
        const { promise, resolve } = Promise.withResolvers<void>();
        next = { frame: { kind, payload }, taken: resolve };
        wake.resolve();
        return promise;
      },
      (failure) => {
        over = { failure };
        wake.resolve();
      },
    );
    for (;;) {
      // oxlint-disable-next-line no-await-in-loop -- a reader waits for the next frame
      await wake.promise;
      wake = Promise.withResolvers<void>();
      const arrived = next;
      next = undefined;
      if (arrived !== undefined) {
        yield arrived.frame;
        arrived.taken();
      }
      if (over?.failure !== undefined) throw over.failure;
      if (over !== undefined) return;
    }
  }

  /** Sends what is queued, then ends our side. Idempotent. */
  async close(): Promise<void> {
    await this.#sender.drained();
    await this.stream.close();
  }

  /** Ends both sides at once; the reader ends with `reason`. */
  abort(reason: FailureError): void {
    this.stream.abort(reason);
    this.#finish(reason);
  }

  #parse(chunk: Uint8Array): void {
    if (this.#ended !== undefined) return;
    this.#receivedBytes += chunk.byteLength;
    try {
      this.#parser.push(chunk);
    } catch (error) {
      this.abort(asFailure(error));
    }
  }

  #arrived(kind: number, payload: Uint8Array): void {
    if (this.#ended !== undefined) return;
    if (kind === CREDIT_KIND) {
      this.#sender.addCredit(readCredit(payload));
      return;
    }
    this.#unreadBytes += FRAME_HEADER_BYTES + payload.byteLength;
    if (this.#unreadBytes > FRAME_WINDOW_BYTES + MAX_FRAME_BYTES + FRAME_HEADER_BYTES) {
      throw new FailureError("malformed-frame", "the peer sends more than the window allows");
    }
    if (this.#handler === undefined || this.#busy) this.#waiting.push({ kind, payload });
    else this.#handle(this.#handler, kind, payload);
  }

  #handle(handler: FrameHandler, kind: number, payload: Uint8Array): void {
    const result = handler(kind, payload);
    if (result === undefined) {
      this.#took(payload);
      return;
    }
    this.#busy = true;
    void this.#waitFor(result, payload);
  }

  async #waitFor(result: Promise<void>, payload: Uint8Array): Promise<void> {
    try {
      await result;
      this.#busy = false;
      this.#took(payload);
      this.#deliverWaiting();
    } catch (error) {
      this.abort(asFailure(error));
    }
  }

  #deliverWaiting(): void {
    const handler = this.#handler;
    if (handler === undefined) return;
    try {
      while (!this.#busy) {
        const frame = this.#waiting.shift();
        if (frame === undefined) break;
        this.#handle(handler, frame.kind, frame.payload);
      }
    } catch (error) {
      this.abort(asFailure(error));
    }
    this.#reportEnd();
  }

  #took(payload: Uint8Array): void {
    const bytes = FRAME_HEADER_BYTES + payload.byteLength;
    this.#unreadBytes -= bytes;
    this.#takenBytes += bytes;
    if (this.#takenBytes < FRAME_CREDIT_STEP_BYTES || this.#ended !== undefined) return;
    const credit = new Uint8Array(CREDIT_PAYLOAD_BYTES);
    new DataView(credit.buffer).setUint32(0, this.#takenBytes);
    this.#takenBytes = 0;
    this.stream.send(encodeFrame(CREDIT_KIND, [credit])).catch(() => undefined);
  }

  #streamEnded(failure: FailureError | undefined): void {
    if (failure !== undefined) this.#sender.fail(failure);
    const cut = failure === undefined && !this.#parser.atBoundary;
    this.#finish(cut ? new FailureError("malformed-frame", "the stream ended within a frame") : failure);
  }

  #finish(failure: FailureError | undefined): void {
    if (this.#ended !== undefined) return;
    this.#ended = { failure };
    if (failure !== undefined) {
      this.#sender.fail(failure);
      this.#waiting = [];
      this.#busy = false;
    }
    this.#reportEnd();
  }

  /** The end is told after the last frame. */
  #reportEnd(): void {
    if (this.#ended === undefined || this.#busy || this.#waiting.length > 0) return;
    const ended = this.#onEnded;
    this.#onEnded = undefined;
    ended?.(this.#ended.failure);
  }
}

/** @throws FailureError `malformed-frame` */
function readCredit(payload: Uint8Array): number {
  if (payload.byteLength !== CREDIT_PAYLOAD_BYTES) {
    throw new FailureError("malformed-frame", `credit of ${payload.byteLength} bytes`);
  }
  return new DataView(payload.buffer, payload.byteOffset, payload.byteLength).getUint32(0);
}

function asFailure(error: unknown): FailureError {
  if (error instanceof FailureError) return error;
  return new FailureError("disconnected", "reading the stream failed here", { cause: error });
}
