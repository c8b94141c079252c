import type { ByteWriter } from "../decode/byte-writer.ts";
import { OP } from "../decode/opcodes.ts";
import { TYPE } from "../decode/value-types.ts";

/** Instructions that the rewriter writes besides those of OP. */
export const WRITTEN = {
  i32Eq: 0x46,
  i32LtS: 0x48,
  i32GeU: 0x4f,
  i64LtS: 0x53,
  i64LeS: 0x57,
  i64GtU: 0x56,
  i32Add: 0x6a,
  i32Sub: 0x6b,
  i64Add: 0x7c,
  i64Sub: 0x7d,
  i64Mul: 0x7e,
  i64DivU: 0x80,
  i64Or: 0x84,
  i64ExtendI32S: 0xac,
  i64ExtendI32U: 0xad,
} as const;

/** An instruction with one index. */
export function writeIndexed(writer: ByteWriter, opcode: number, index: number): void {
  writer.u8(opcode);
  writer.u32(index);
}

/** An instruction on a constant not below 0 and the operand under it. */
export function writeWithConstant(writer: ByteWriter, constant: number, value: number, opcode: number): void {
  writer.u8(constant);
  writer.positive(value);
  writer.u8(opcode);
}

/** On top of the stack is the fuel left: whether none is. */
export function writeIsOut(writer: ByteWriter): void {
  writeWithConstant(writer, OP.i64Const, 0, WRITTEN.i64LeS);
}

/** Takes fuel from the global. @param amount writes how much, an i64 */
export function writeTake(writer: ByteWriter, fuelGlobal: number, amount: () => void): void {
  writeIndexed(writer, OP.globalGet, fuelGlobal);
  amount();
  writer.u8(WRITTEN.i64Sub);
  writeIndexed(writer, OP.globalSet, fuelGlobal);
}

const TRAP_IF: readonly number[] = [OP.if, TYPE.empty, OP.unreachable, OP.end];

/** Traps when no fuel is left in the global, which tells this trap from the program's own. */
export function writeGlobalCheck(writer: ByteWriter, fuelGlobal: number): void {
  writeIndexed(writer, OP.globalGet, fuelGlobal);
  writeIsOut(writer);
  writer.bytes(TRAP_IF);
}
