import type { ByteWriter } from "../decode/byte-writer.ts";
import { NAN, OP } from "../decode/opcodes.ts";
import { writeIndexed } from "./code-writer.ts";

const F32_EQ = 0x5b;
const F64_EQ = 0x61;
const V128_CONST = [OP.vectorPrefix, 12];
const V128_BITSELECT = [OP.vectorPrefix, 82];
const F32X4_EQ = [OP.vectorPrefix, 65];
const F64X2_EQ = [OP.vectorPrefix, 71];

/** Canonical quiet NaNs, little-endian: sign 0, only the highest bit of the fraction set. */
const NAN32 = [0, 0, 0xc0, 0x7f];
const NAN64 = [0, 0, 0, 0, 0, 0, 0xf8, 0x7f];

const F32_NAN = [OP.f32Const, ...NAN32];
const F64_NAN = [OP.f64Const, ...NAN64];
const F32X4_NAN = [...V128_CONST, ...NAN32, ...NAN32, ...NAN32, ...NAN32];
const F64X2_NAN = [...V128_CONST, ...NAN64, ...NAN64];

/** Replaces a value on top of the stack by the canonical NaN where it is not equal to itself. */
export class CanonicalWriter {
  /** Indices of the temporary locals, by type. */
  f32 = -1;
  f64 = -1;
  v128 = -1;
  readonly #writer: ByteWriter;

  constructor(writer: ByteWriter) {
    this.#writer = writer;
  }

  /** @param kind of NAN @param readFrom the local that the value was just read from; -1: none, a temporary is needed */
  write(kind: number, readFrom: number): void {
    switch (kind) {
      case NAN.f32:
        return this.#select(this.#named(readFrom, this.f32), F32_NAN, F32_EQ);
      case NAN.f64:
        return this.#select(this.#named(readFrom, this.f64), F64_NAN, F64_EQ);
      case NAN.f32x4:
        return this.#bitSelect(this.#named(readFrom, this.v128), F32X4_NAN, F32X4_EQ);
      default:
        return this.#bitSelect(this.#named(readFrom, this.v128), F64X2_NAN, F64X2_EQ);
    }
  }

  /** The local that holds the value on top of the stack from here on. */
  #named(readFrom: number, temporary: number): number {
    if (readFrom >= 0) return readFrom;
    writeIndexed(this.#writer, OP.localTee, temporary);
    return temporary;
  }

  #select(local: number, constant: readonly number[], equal: number): void {
    this.#writer.bytes(constant);
    writeIndexed(this.#writer, OP.localGet, local);
    writeIndexed(this.#writer, OP.localGet, local);
    this.#writer.u8(equal);
    this.#writer.u8(OP.select);
  }

  #bitSelect(local: number, constant: readonly number[], equal: readonly number[]): void {
    this.#writer.bytes(constant);
    writeIndexed(this.#writer, OP.localGet, local);
    writeIndexed(this.#writer, OP.localGet, local);
    this.#writer.bytes(equal);
    this.#writer.bytes(V128_BITSELECT);
  }
}
