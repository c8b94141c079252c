import { FailureError } from "../protocol/failure.ts";

/** `u32be payload length ‖ u8 kind`. */
export const FRAME_HEADER_BYTES = 5;

/**
 * Cuts a stream of bytes into frames `u32be length ‖ u8 kind ‖ payload`; the length counts the payload alone.
 * A payload that arrives within one chunk is a view of that chunk, otherwise a copy put together once.
 */
export class FrameParser {
  readonly #maxBytes: (kind: number) => number;
  readonly #deliver: (kind: number, payload: Uint8Array) => void;
  readonly #header = new Uint8Array(FRAME_HEADER_BYTES);
  #headerUsed = 0;
  #kind = 0;
  #payload: Uint8Array | undefined;
  #payloadUsed = 0;

  constructor(maxBytes: (kind: number) => number, deliver: (kind: number, payload: Uint8Array) => void) {
    this.#maxBytes = maxBytes;
    this.#deliver = deliver;
  }

  /** Whether the bytes so far end between two frames. */
  get atBoundary(): boolean {
    return this.#headerUsed === 0 && this.#payload === undefined;
  }

  /** @throws FailureError `frame-too-large`, and whatever `deliver` throws; the parser is of no use afterwards. */
  push(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.byteLength) {
      at =
        this.#payload === undefined
          ? this.#readHeader(chunk, at)
          : this.#readPayload(chunk, at, this.#payload);
    }
  }

  #readHeader(chunk: Uint8Array, start: number): number {
    const missing = FRAME_HEADER_BYTES - this.#headerUsed;
    const head = chunk.subarray(start, start + missing);
    this.#header.set(head, this.#headerUsed);
    this.#headerUsed += head.byteLength;
    if (this.#headerUsed < FRAME_HEADER_BYTES) return chunk.byteLength;
    this.#headerUsed = 0;
    const [a = 0, b = 0, c = 0, d = 0, kind = 0] = this.#header;
    return this.#beginPayload(chunk, start + missing, kind, ((a << 24) | (b << 16) | (c << 8) | d) >>> 0);
  }

  #beginPayload(chunk: Uint8Array, start: number, kind: number, length: number): number {
    const maxBytes = this.#maxBytes(kind);
    if (length > maxBytes) {
      throw new FailureError(
        "frame-too-large",
        `frame of kind ${kind}: ${length} bytes, at most ${maxBytes}`,
      );
    }
    const end = start + length;
    if (end <= chunk.byteLength) {
      this.#deliver(kind, chunk.subarray(start, end));
      return end;
    }
    this.#kind = kind;
    this.#payload = new Uint8Array(length);
    this.#payloadUsed = chunk.byteLength - start;
    this.#payload.set(chunk.subarray(start));
    return chunk.byteLength;
  }

  #readPayload(chunk: Uint8Array, start: number, payload: Uint8Array): number {
    const part = chunk.subarray(start, start + payload.byteLength - this.#payloadUsed);
    payload.set(part, this.#payloadUsed);
    this.#payloadUsed += part.byteLength;
    if (this.#payloadUsed === payload.byteLength) {
      this.#payload = undefined;
      this.#deliver(this.#kind, payload);
    }
    return start + part.byteLength;
  }
}

/** One frame as bytes. The parts are copied, so the caller may reuse them. */
export function encodeFrame(kind: number, parts: readonly Uint8Array[]): Uint8Array {
  const length = totalBytes(parts);
  const frame = new Uint8Array(FRAME_HEADER_BYTES + length);
  frame[0] = length >>> 24;
  frame[1] = length >>> 16;
  frame[2] = length >>> 8;
  frame[3] = length;
  frame[4] = kind;
  joinInto(frame, FRAME_HEADER_BYTES, parts);
  return frame;
}

export function totalBytes(parts: readonly Uint8Array[]): number {
  let total = 0;
  for (const part of parts) total += part.byteLength;
  return total;
}

export function joinInto(target: Uint8Array, offset: number, parts: readonly Uint8Array[]): void {
  let at = offset;
  for (const part of parts) {
    target.set(part, at);
    at += part.byteLength;
  }
}
