/** What is put into a WebAssembly memory: first all places, then, when their sum is known, the bytes. */
export class Arena {
  #end: number;
  readonly #writes: ((memory: WebAssembly.Memory) => void)[] = [];

  /** @param start first free byte */
  constructor(start: number) {
    this.#end = start;
  }

  /** Bytes of everything placed so far. */
  get end(): number {
    return this.#end;
  }

  /** A place for zeros, at a multiple of 64. @returns its address */
  reserve(bytes: number): number {
    const address = this.#end;
    this.#end = Math.ceil((address + bytes) / 64) * 64;
    return address;
  }

  /** A place for a copy of an array, zeros behind it up to `bytes`. */
  place(source: ArrayBufferView, bytes: number = source.byteLength): number {
    const address = this.reserve(Math.max(bytes, source.byteLength));
    this.#writes.push(({ buffer }) => {
      new Uint8Array(buffer, address, source.byteLength).set(
        new Uint8Array(source.buffer, source.byteOffset, source.byteLength),
      );
    });
    return address;
  }

  /** A structure of 32-bit words. */
  words(words: readonly number[]): number {
    return this.place(Int32Array.from(words));
  }

  /** @param memory of at least `end` bytes */
  fill(memory: WebAssembly.Memory): void {
    for (const write of this.#writes) write(memory);
  }
}
