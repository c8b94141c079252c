/** Bytes of a reserved length prefix: a u32 LEB128 padded to its longest form, so that it can be written afterwards. */
const SIZE_BYTES = 5;

/** A growing byte array. Capacity doubles, so that appending is linear in the total. */
export class ByteWriter {
  #bytes: Uint8Array<ArrayBuffer>;
  #length = 0;

  constructor(capacity = 1024) {
    this.#bytes = new Uint8Array(capacity);
  }

  get length(): number {
    return this.#length;
  }

  /** The bytes so far; may share memory with the writer, which must not be used afterwards. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length);
  }

  #room(extra: number): void {
    const needed = this.#length + extra;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }

  u8(value: number): void {
    this.#room(1);
    this.#bytes[this.#length] = value;
    this.#length += 1;
  }

  bytes(values: ArrayLike<number>): void {
    this.#room(values.length);
    this.#bytes.set(values, this.#length);
    this.#length += values.length;
  }

  /** Appends `source[from, to)`. Short runs are copied by hand: a native call costs more than a dozen bytes. */
  copy(source: Uint8Array, from: number, to: number): void {
    const count = to - from;
    if (count <= 0) return;
    this.#room(count);
    if (count > 24) this.#bytes.set(source.subarray(from, to), this.#length);
    else for (let i = 0; i < count; i += 1) this.#bytes[this.#length + i] = source[from + i] ?? 0;
    this.#length += count;
  }

  u32(value: number): void {
    let rest = value;
    while (rest > 0x7f) {
      this.u8((rest & 0x7f) | 0x80);
      rest = Math.floor(rest / 0x80);
    }
    this.u8(rest);
  }

  /** A signed LEB128 of a safe integer or a bigint. */
  signed(value: number | bigint): void {
    let rest = BigInt(value);
    for (;;) {
      const low = Number(rest & 0x7fn);
      rest >>= 7n;
      const last = (rest === 0n && low < 0x40) || (rest === -1n && low >= 0x40);
      this.u8(last ? low : low | 0x80);
      if (last) return;
    }
  }

  /** A signed LEB128 of a non-negative integer below 2^31. */
  positive(value: number): void {
    let rest = value;
    while (rest > 0x3f) {
      this.u8((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    this.u8(rest);
  }

  /** Leaves room for a length prefix; give the result to `endSized` once what it counts is written. */
  beginSized(): number {
    this.#room(SIZE_BYTES);
    this.#length += SIZE_BYTES;
    return this.#length;
  }

  endSized(start: number): void {
    let size = this.#length - start;
    for (let i = 0; i < SIZE_BYTES; i += 1) {
      this.#bytes[start - SIZE_BYTES + i] = (size & 0x7f) | (i < SIZE_BYTES - 1 ? 0x80 : 0);
      size >>>= 7;
    }
  }
}
