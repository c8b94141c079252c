import { failureCode } from "../../protocol/failure-code.ts";
import { ByteWriter } from "../decode/byte-writer.ts";
import { BULK, OP } from "../decode/opcodes.ts";
import { TYPE } from "../decode/value-types.ts";
import { BYTES_PER_FUEL, PAGE_BYTES } from "../limits.ts";
import { HELPER } from "./body-plan.ts";
import { writeFuelCheck } from "./emit-body.ts";
import type { AddedGlobals } from "./layout.ts";

const I32_EQ = 0x46;
const I32_GE_U = 0x4f;
const I64_GT_U = 0x56;
const I64_ADD = 0x7c;
const I64_SUB = 0x7d;
const I64_MUL = 0x7e;
const I64_DIV_U = 0x80;
const I64_EXTEND_I32_U = 0xad;

const TRAP_INDIRECT = failureCode("trap-indirect-call");

/** Values of the global "tabmesh:grow". */
export const GROW = { refused: 1, impossible: 2 } as const;

/**
 * The body of a helper, of type `(i32) -> (i32)`.
 * `chargeBytes(n)`: takes ceil(n / 8) fuel, returns n. `chargeEntries(n)`: takes n fuel, returns n.
 * `grow(n)`: `memory.grow` that answers -1 beyond the cap, takes 8,192 fuel per page otherwise, and traps when the engine
 * cannot give what the cap allows (so that a machine short of memory never looks like a program's own failure).
 * `checkTable + t (i)`: traps with the hint "indirect call" where entry i of table t does not exist, returns i.
 */
export function writeHelper(writer: ByteWriter, id: number, globals: AddedGlobals): void {
  const sized = writer.beginSized();
  writer.u32(0);
  const code = new HelperWriter(writer, globals);
  if (id === HELPER.chargeBytes) code.chargeBytes();
  else if (id === HELPER.chargeEntries) code.chargeEntries();
  else if (id === HELPER.grow) code.grow();
  else code.checkTable(id - HELPER.checkTable);
  writer.bytes([OP.localGet, 0, OP.end]);
  writer.endSized(sized);
}

class HelperWriter {
  readonly #writer: ByteWriter;
  readonly #globals: AddedGlobals;

  constructor(writer: ByteWriter, globals: AddedGlobals) {
    this.#writer = writer;
    this.#globals = globals;
  }

  chargeBytes(): void {
    this.#charge(() => {
      this.#i64(BYTES_PER_FUEL - 1, I64_ADD);
      this.#i64(BYTES_PER_FUEL, I64_DIV_U);
    });
  }

  chargeEntries(): void {
    this.#charge(() => undefined);
  }

  grow(): void {
    const writer = this.#writer;
    this.#operand();
    writer.bytes([OP.memorySize, 0, I64_EXTEND_I32_U, I64_ADD]);
    this.#global(OP.globalGet, this.#globals.pages);
    writer.bytes([I64_EXTEND_I32_U, I64_GT_U, OP.if, TYPE.empty, OP.i32Const, GROW.refused]);
    this.#global(OP.globalSet, this.#globals.grow);
    writer.bytes([OP.i32Const, 0x7f, OP.return, OP.end]);
    this.#charge(() => this.#i64(PAGE_BYTES / BYTES_PER_FUEL, I64_MUL));
    writer.bytes([OP.localGet, 0, OP.memoryGrow, 0, OP.localTee, 0, OP.i32Const, 0x7f, I32_EQ]);
    writer.bytes([OP.if, TYPE.empty, OP.i32Const, GROW.impossible]);
    this.#global(OP.globalSet, this.#globals.grow);
    writer.bytes([OP.unreachable, OP.end]);
  }

  checkTable(table: number): void {
    const writer = this.#writer;
    writer.bytes([OP.localGet, 0, OP.bulkPrefix, BULK.tableSize]);
    writer.u32(table);
    writer.bytes([I32_GE_U, OP.if, TYPE.empty, OP.i32Const]);
    writer.positive(TRAP_INDIRECT);
    this.#global(OP.globalSet, this.#globals.hint);
    writer.bytes([OP.unreachable, OP.end]);
  }

  /** Takes fuel: the operand as u64, after `scale` has been applied to it. */
  #charge(scale: () => void): void {
    const { fuel } = this.#globals;
    this.#global(OP.globalGet, fuel);
    this.#operand();
    scale();
    this.#writer.u8(I64_SUB);
    this.#global(OP.globalSet, fuel);
    writeFuelCheck(this.#writer, fuel);
  }

  #operand(): void {
    this.#writer.bytes([OP.localGet, 0, I64_EXTEND_I32_U]);
  }

  #i64(value: number, opcode: number): void {
    this.#writer.u8(OP.i64Const);
    this.#writer.positive(value);
    this.#writer.u8(opcode);
  }

  #global(opcode: number, index: number): void {
    this.#writer.u8(opcode);
    this.#writer.u32(index);
  }
}

/** The bytes of the check that stands at every function's entry and loop header, made once. */
export function fuelCheckBytes(fuelGlobal: number): Uint8Array {
  const writer = new ByteWriter(32);
  writeFuelCheck(writer, fuelGlobal);
  return writer.finish();
}
