/** The header goes on beyond the bytes that are at hand, but not beyond the file: more of it must be read. */
export class HeaderCut extends Error {
  static override readonly name = "HeaderCut";
  override readonly name = "HeaderCut";
}

/** Little-endian reader over the first bytes of a file. Nothing is read or allocated before its bytes are known to be there. */
export class HeaderReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #fileBytes: number;
  readonly #text = new TextDecoder("utf-8", { ignoreBOM: true });
  #at = 0;

  /** @param fileBytes length of the whole file, of which `bytes` is the beginning */
  constructor(bytes: Uint8Array, fileBytes: number) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#fileBytes = fileBytes;
  }

  /** Place of the next byte. */
  get at(): number {
    return this.#at;
  }

  u8(): number {
    return this.#view.getUint8(this.#advance(1, "a byte"));
  }

  u32(): number {
    return this.#view.getUint32(this.#advance(4, "a number"), true);
  }

  u64(): bigint {
    return this.#view.getBigUint64(this.#advance(8, "a number"), true);
  }

  i64(): bigint {
    return this.#view.getBigInt64(this.#advance(8, "a number"), true);
  }

  f64(): number {
    return this.#view.getFloat64(this.#advance(8, "a number"), true);
  }

  /** A u64 that counts things of at least `bytesEach` bytes, which must all fit in the rest of the file. */
  count(bytesEach: number, what: string): number {
    const place = this.#at;
    const count = this.u64();
    const rest = this.#fileBytes - this.#at;
    if (count > BigInt(Math.floor(rest / bytesEach)))
      throw new RangeError(`${count} ${what} at byte ${place}, but the file has only ${rest} bytes more`);
    return Number(count);
  }

  /** A copy of the next bytes. */
  bytes(length: number, what: string): Uint8Array<ArrayBuffer> {
    const start = this.#advance(length, what);
    return this.#bytes.slice(start, start + length);
  }

  /** Text with its length before it; bytes that are no UTF-8 become U+FFFD. */
  text(what: string): string {
    const length = this.count(1, `bytes of ${what}`);
    const start = this.#advance(length, what);
    return this.#text.decode(this.#bytes.subarray(start, start + length));
  }

  #advance(length: number, what: string): number {
    const start = this.#at;
    const end = start + length;
    if (end > this.#fileBytes) throw new RangeError(`the file ends within ${what} at byte ${start}`);
    if (end > this.#bytes.length) throw new HeaderCut();
    this.#at = end;
    return start;
  }
}
