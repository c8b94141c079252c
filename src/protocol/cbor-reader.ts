import { MAX_DEPTH } from "./limits.ts";
import { WireError } from "./wire-error.ts";

/**
 * Reads canonical dag-cbor from a stranger, item by item, as a schema asks. Refuses everything that has a second
 * spelling (longer heads than needed, indefinite lengths, floats, tags other than 42), so a message has exactly one
 * encoding and its CID identifies it. Bounded: lengths are checked against what is left before anything is allocated.
 */
export class CborReader {
  readonly #bytes: Uint8Array;
  readonly #path: (string | number)[] = [];
  readonly #maxDepth: number;
  #at = 0;

  /** A subclass whose `slice` shares memory (Node's Buffer) is looked at as plain bytes, so that copies are copies. */
  constructor(bytes: Uint8Array, maxDepth: number = MAX_DEPTH) {
    this.#bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#maxDepth = maxDepth;
  }

  get remaining(): number {
    return this.#bytes.length - this.#at;
  }

  /** @throws WireError always, naming where reading stands. */
  fail(what: string, code?: "malformed" | "unsupported" | "too-large"): never {
    throw new WireError(`${this.#path.length === 0 ? "message" : this.#path.join(".")}: ${what}`, code);
  }

  /** Marks that a field or item is being read; every enter is followed by a leave unless reading fails. */
  enter(name: string | number): void {
    if (this.#path.length >= this.#maxDepth) this.fail(`nested deeper than ${this.#maxDepth}`);
    this.#path.push(name);
  }

  leave(): void {
    this.#path.pop();
  }

  #byte(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) this.fail("ends too early");
    this.#at += 1;
    return byte;
  }

  /** Major type of the next item, without reading it. */
  peekMajor(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) this.fail("ends too early");
    return byte >>> 5;
  }

  #u32(): number {
    if (this.remaining < 4) this.fail("ends too early");
    const b = this.#bytes;
    const at = this.#at;
    this.#at += 4;
    return (
      ((b[at] ?? 0) * 0x1000000 + (((b[at + 1] ?? 0) << 16) | ((b[at + 2] ?? 0) << 8) | (b[at + 3] ?? 0))) >>>
      0
    );
  }

  /** Argument of an item of the given major type as two 32-bit halves. */
  #argument(major: number, what: string): readonly [high: number, low: number] {
    const first = this.#byte();
    if (first >>> 5 !== major) this.fail(`is not ${what}`);
    const info = first & 0x1f;
    if (info < 24) return [0, info];
    if (info === 24) {
      const value = this.#byte();
      if (value < 24) this.fail("length is not in its shortest form");
      return [0, value];
    }
    if (info === 25) {
      const value = this.#byte() * 256 + this.#byte();
      if (value < 0x100) this.fail("length is not in its shortest form");
      return [0, value];
    }
    if (info === 26) {
      const value = this.#u32();
      if (value < 0x10000) this.fail("length is not in its shortest form");
      return [0, value];
    }
    if (info === 27) {
      const high = this.#u32();
      const low = this.#u32();
      if (high === 0) this.fail("length is not in its shortest form");
      return [high, low];
    }
    return this.fail("has an indefinite or reserved length");
  }

  u64(): bigint {
    const [high, low] = this.#argument(0, "an unsigned integer");
    return high === 0 ? BigInt(low) : (BigInt(high) << 32n) | BigInt(low);
  }

  /** An unsigned integer of at most `max`, which is a safe integer. */
  uint(max: number): number {
    const [high, low] = this.#argument(0, "an unsigned integer");
    const value = high * 0x100000000 + low;
    if (value > max) this.fail(`is above ${max}`);
    return value;
  }

  /** Length of a list or map, at most `max`. */
  count(major: 4 | 5, max: number): number {
    const [high, low] = this.#argument(major, major === 4 ? "a list" : "a map");
    if (high !== 0 || low > max) this.fail(`has more than ${max} items`, "too-large");
    return low;
  }

  /** Takes exactly these bytes, or nothing. For items that are known beforehand: keys and words. */
  takes(expected: Uint8Array): boolean {
    const { length } = expected;
    if (length > this.remaining) return false;
    for (let i = 0; i < length; i += 1) if (this.#bytes[this.#at + i] !== expected[i]) return false;
    this.#at += length;
    return true;
  }

  /** Length of a string whose content comes next and is there. */
  #stringLength(major: 2 | 3, max: number, what: string): number {
    const [high, low] = this.#argument(major, what);
    if (high !== 0 || low > max) this.fail(`is longer than ${max} bytes`, "too-large");
    if (low > this.remaining) this.fail("ends too early");
    return low;
  }

  #span(major: 2 | 3, max: number, what: string): Uint8Array {
    const length = this.#stringLength(major, max, what);
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  /** A byte string. The result aliases the input. */
  byteString(max: number): Uint8Array {
    return this.#span(2, max, "a byte string");
  }

  /** A byte string, copied. */
  byteCopy(max: number): Uint8Array<ArrayBuffer> {
    const length = this.#stringLength(2, max, "a byte string");
    this.#at += length;
    return this.#bytes.slice(this.#at - length, this.#at);
  }

  /** UTF-8 of a text string, undecoded. The result aliases the input. */
  textString(max: number): Uint8Array {
    return this.#span(3, max, "text");
  }

  /** Content of tag 42: a CID with the multibase identity prefix taken off. */
  link(): Uint8Array {
    const [high, low] = this.#argument(6, "a CID");
    if (high !== 0 || low !== 42) this.fail("has a tag other than 42");
    const bytes = this.byteString(64);
    if (bytes[0] !== 0) this.fail("CID lacks its prefix");
    return bytes.subarray(1);
  }

  bool(): boolean {
    const byte = this.#byte();
    if (byte === 0xf5) return true;
    if (byte === 0xf4) return false;
    return this.fail("is not true or false");
  }

  null(): void {
    if (this.#byte() !== 0xf6) this.fail("is not null");
  }

  end(): void {
    if (this.remaining > 0) this.fail(`has ${this.remaining} bytes after its end`);
  }
}
