/** Reads and writes the linear memory of an instance. Every range is checked; what lies outside calls `outside`. */
export class GuestMemory {
  readonly #memory: WebAssembly.Memory;
  readonly #outside: () => never;
  #view: DataView;
  #bytes: Uint8Array;

  /** @param outside throws what an access out of bounds means to the caller */
  constructor(memory: WebAssembly.Memory, outside: () => never) {
    this.#memory = memory;
    this.#outside = outside;
    this.#view = new DataView(memory.buffer);
    this.#bytes = new Uint8Array(memory.buffer);
  }

  /** Growing replaces the buffer, so views are renewed when it did. */
  #check(pointer: number, length: number): void {
    if (this.#view.buffer !== this.#memory.buffer) {
      this.#view = new DataView(this.#memory.buffer);
      this.#bytes = new Uint8Array(this.#memory.buffer);
    }
    if (pointer + length > this.#bytes.length) this.#outside();
  }

  /** A view, valid until the program runs again. @param pointer unsigned, as is `length` */
  slice(pointer: number, length: number): Uint8Array {
    this.#check(pointer, length);
    return this.#bytes.subarray(pointer, pointer + length);
  }

  getU8(pointer: number): number {
    this.#check(pointer, 1);
    return this.#view.getUint8(pointer);
  }

  getU16(pointer: number): number {
    this.#check(pointer, 2);
    return this.#view.getUint16(pointer, true);
  }

  getU32(pointer: number): number {
    this.#check(pointer, 4);
    return this.#view.getUint32(pointer, true);
  }

  getU64(pointer: number): bigint {
    this.#check(pointer, 8);
    return this.#view.getBigUint64(pointer, true);
  }

  setU8(pointer: number, value: number): void {
    this.#check(pointer, 1);
    this.#view.setUint8(pointer, value);
  }

  setU16(pointer: number, value: number): void {
    this.#check(pointer, 2);
    this.#view.setUint16(pointer, value, true);
  }

  setU32(pointer: number, value: number): void {
    this.#check(pointer, 4);
    this.#view.setUint32(pointer, value, true);
  }

  setU64(pointer: number, value: bigint): void {
    this.#check(pointer, 8);
    this.#view.setBigUint64(pointer, value, true);
  }
}
