/**
 * Writes canonical dag-cbor (RFC 8949 §4.2.1 with the restrictions of the dag-cbor specification): shortest heads,
 * definite lengths, no floats, tag 42 only. Map keys must be written in order (shorter first, then bytewise);
 * schema.ts sorts them once, when a schema is made.
 */
const FIRST_CAPACITY = 512;

export class CborWriter {
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(FIRST_CAPACITY);
  #length = 0;

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }

  /** Major type 0–7 with its argument; `argument` is a safe non-negative integer. */
  head(major: number, argument: number): void {
    this.#reserve(9);
    const bytes = this.#bytes;
    const top = major << 5;
    if (argument < 24) {
      bytes[this.#length++] = top | argument;
    } else if (argument < 0x100) {
      bytes[this.#length++] = top | 24;
      bytes[this.#length++] = argument;
    } else if (argument < 0x10000) {
      bytes[this.#length++] = top | 25;
      bytes[this.#length++] = argument >>> 8;
      bytes[this.#length++] = argument & 0xff;
    } else if (argument < 0x100000000) {
      bytes[this.#length++] = top | 26;
      this.#u32(argument);
    } else {
      bytes[this.#length++] = top | 27;
      this.#u32(Math.floor(argument / 0x100000000));
      this.#u32(argument >>> 0);
    }
  }

  #u32(value: number): void {
    const bytes = this.#bytes;
    bytes[this.#length++] = value >>> 24;
    bytes[this.#length++] = (value >>> 16) & 0xff;
    bytes[this.#length++] = (value >>> 8) & 0xff;
    bytes[this.#length++] = value & 0xff;
  }

  /** An unsigned 64-bit integer. @throws RangeError beyond 64 bits. */
  u64(value: bigint): void {
    if (value < 0n || value >> 64n !== 0n)
      throw new RangeError(`${value} does not fit an unsigned 64-bit integer`);
    if (value <= 0xffffffffn) {
      this.head(0, Number(value));
      return;
    }
    this.#reserve(9);
    this.#bytes[this.#length++] = 27;
    this.#u32(Number(value >> 32n));
    this.#u32(Number(value & 0xffffffffn));
  }

  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  byteString(bytes: Uint8Array): void {
    this.head(2, bytes.length);
    this.raw(bytes);
  }

  /** `utf8` is already encoded. */
  textString(utf8: Uint8Array): void {
    this.head(3, utf8.length);
    this.raw(utf8);
  }

  bool(value: boolean): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = value ? 0xf5 : 0xf4;
  }

  null(): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = 0xf6;
  }

  /** What was written, in place: it holds until the next write, which begins anew. */
  takeInPlace(): Uint8Array {
    const written = this.#bytes.subarray(0, this.#length);
    this.#length = 0;
    return written;
  }

  /** A copy of what was written; the writer can be used again afterwards. */
  take(): Uint8Array<ArrayBuffer> {
    const taken = this.#bytes.slice(0, this.#length);
    this.#length = 0;
    return taken;
  }
}
