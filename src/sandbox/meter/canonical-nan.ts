import type { ByteWriter } from "../decode/byte-writer.ts";
import { NAN, OP } from "../decode/opcodes.ts";

/** Indices of the temporary locals of one function, by type. */
export interface NanLocals {
  readonly f32: number;
  readonly f64: number;
  readonly v128: number;
}

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

/** Replaces the value on top of the stack by the canonical NaN where it is not equal to itself. */
export function writeCanonical(writer: ByteWriter, kind: number, locals: NanLocals): void {
  switch (kind) {
    case NAN.f32:
      return writeSelect(writer, locals.f32, F32_NAN, F32_EQ);
    case NAN.f64:
      return writeSelect(writer, locals.f64, F64_NAN, F64_EQ);
    case NAN.f32x4:
      return writeBitSelect(writer, locals.v128, F32X4_NAN, F32X4_EQ);
    default:
      return writeBitSelect(writer, locals.v128, F64X2_NAN, F64X2_EQ);
  }
}

function local(writer: ByteWriter, opcode: number, index: number): void {
  writer.u8(opcode);
  writer.u32(index);
}

function writeSelect(writer: ByteWriter, index: number, constant: readonly number[], equal: number): void {
  local(writer, OP.localTee, index);
  writer.bytes(constant);
  local(writer, OP.localGet, index);
  local(writer, OP.localGet, index);
  writer.u8(equal);
  writer.u8(OP.select);
}

function writeBitSelect(
  writer: ByteWriter,
  index: number,
  constant: readonly number[],
  equal: readonly number[],
): void {
  local(writer, OP.localTee, index);
  writer.bytes(constant);
  local(writer, OP.localGet, index);
  local(writer, OP.localGet, index);
  writer.bytes(equal);
  writer.bytes(V128_BITSELECT);
}
