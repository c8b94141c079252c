import { FailureError } from "../../protocol/failure.ts";
import { STDERR_HEAD_BYTES, STDERR_TAIL_BYTES } from "../limits.ts";

/** Collects bytes that a program writes. */
export interface ByteSink {
  write(bytes: Uint8Array): void;
}

/** Standard output: ends the task as soon as it exceeds its limit. */
export class OutputSink implements ByteSink {
  readonly #limit: number;
  #bytes = new Uint8Array(1024);
  #length = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** @throws FailureError `output-too-large` */
  write(bytes: Uint8Array): void {
    const length = this.#length + bytes.length;
    if (length > this.#limit)
      throw new FailureError("output-too-large", `more than ${this.#limit} bytes of output`);
    if (length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(length, this.#bytes.length * 2));
      grown.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = grown;
    }
    this.#bytes.set(bytes, this.#length);
    this.#length = length;
  }

  /** What was written, in a buffer of its own. */
  take(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }
}

const NOTHING: Uint8Array = new Uint8Array(0);

/** Standard error: keeps the beginning and the end, and says how much it left out between. */
export class ErrorSink implements ByteSink {
  #head = NOTHING;
  /** A ring: `#written % length` is where the next byte goes. */
  #tail = NOTHING;
  #headLength = 0;
  #written = 0;

  write(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    if (this.#head.length === 0) this.#head = new Uint8Array(STDERR_HEAD_BYTES);
    const first = bytes.subarray(0, STDERR_HEAD_BYTES - this.#headLength);
    this.#head.set(first, this.#headLength);
    this.#headLength += first.length;
    this.#writeTail(bytes.subarray(first.length));
  }

  #writeTail(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    if (this.#tail.length === 0) this.#tail = new Uint8Array(STDERR_TAIL_BYTES);
    const kept = bytes.subarray(Math.max(0, bytes.length - STDERR_TAIL_BYTES));
    this.#written += bytes.length - kept.length;
    const at = this.#written % STDERR_TAIL_BYTES;
    const beforeWrap = kept.subarray(0, STDERR_TAIL_BYTES - at);
    this.#tail.set(beforeWrap, at);
    this.#tail.set(kept.subarray(beforeWrap.length), 0);
    this.#written += kept.length;
  }

  /** What was kept, in a buffer of its own. */
  take(): Uint8Array {
    const head = this.#head.subarray(0, this.#headLength);
    if (this.#written <= STDERR_TAIL_BYTES) return join([head, this.#tail.subarray(0, this.#written)]);
    const at = this.#written % STDERR_TAIL_BYTES;
    const note = new TextEncoder().encode(`\n[${this.#written - STDERR_TAIL_BYTES} bytes left out]\n`);
    return join([head, note, this.#tail.subarray(at), this.#tail.subarray(0, at)]);
  }
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
