import { FailureError } from "../../protocol/failure.ts";
import { MAX_NAME_BYTES } from "../limits.ts";

/** Refuses a module: says what is wrong and at which byte of the file. */
export function refuseModule(what: string, at: number, cause?: unknown): never {
  throw new FailureError("invalid-module", `${what} at byte ${at}`, cause === undefined ? {} : { cause });
}

/** Reads a range of a module and never beyond it. `at` is the offset in the whole file, so that errors can name it. */
export class ByteReader {
  readonly bytes: Uint8Array;
  readonly end: number;
  at: number;

  /** @param end first byte that may not be read */
  constructor(bytes: Uint8Array, at = 0, end: number = bytes.length) {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
  }

  u8(what: string): number {
    const value = this.at < this.end ? this.bytes[this.at] : undefined;
    if (value === undefined) refuseModule(`${what} is cut off`, this.at);
    this.at += 1;
    return value;
  }

  /** An unsigned 32-bit LEB128 of at most five bytes. */
  u32(what: string): number {
    let value = this.u8(what);
    if (value < 0x80) return value;
    value &= 0x7f;
    for (let factor = 0x80; factor <= 0x1000_0000; factor *= 0x80) {
      const byte = this.u8(what);
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) {
        if (value > 0xffff_ffff) refuseModule(`${what} does not fit 32 bits`, this.at - 1);
        return value;
      }
    }
    return refuseModule(`${what} is longer than five bytes`, this.at);
  }

  /** A u32 that counts something: more than `most` is refused before anything is allocated for it. */
  count(what: string, most: number): number {
    const at = this.at;
    const value = this.u32(`number of ${what}`);
    if (value > most) refuseModule(`${value} ${what}, more than ${most},`, at);
    return value;
  }

  /** A u32 below `bound`. */
  index(what: string, bound: number): number {
    const at = this.at;
    const value = this.u32(what);
    if (value >= bound) refuseModule(`${what} ${value} does not exist`, at);
    return value;
  }

  /** Steps over a signed LEB128 and says whether it is certainly not -1. */
  skipSigned(what: string, mostBytes: number): boolean {
    let allOnes = true;
    for (let read = 0; read < mostBytes; read += 1) {
      const byte = this.u8(what);
      if ((byte & 0x7f) !== 0x7f) allOnes = false;
      if (byte < 0x80) return !allOnes;
    }
    return refuseModule(`${what} is longer than ${mostBytes} bytes`, this.at);
  }

  skip(length: number, what: string): void {
    if (length > this.end - this.at) refuseModule(`${what} is cut off`, this.at);
    this.at += length;
  }

  name(what: string): string {
    const length = this.count(`bytes in ${what}`, MAX_NAME_BYTES);
    const start = this.at;
    this.skip(length, what);
    try {
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(
        this.bytes.subarray(start, this.at),
      );
    } catch (error) {
      return refuseModule(`${what} is not UTF-8`, start, error);
    }
  }

  /** Refuses a module when something was left unread. */
  finish(what: string): void {
    if (this.at !== this.end) refuseModule(`${what} has ${this.end - this.at} bytes too many`, this.at);
  }
}
