import { failureCode } from "../../protocol/failure-code.ts";
import type { ByteWriter } from "../decode/byte-writer.ts";
import { BULK, OP } from "../decode/opcodes.ts";
import { TYPE } from "../decode/value-types.ts";
import { HELPER } from "./body-plan.ts";
import { writeGlobalCheck, writeIndexed, writeTake, writeWithConstant, WRITTEN } from "./code-writer.ts";
import { BULK_BYTES_PER_FUEL, GROWN_PAGE_COST, TABLE_ENTRY_COST } from "./costs.ts";
import type { AddedGlobals, Layout } from "./layout.ts";

const TRAP_INDIRECT = failureCode("trap-indirect-call");
const MINUS_ONE = 0x7f;

/** Values of the global "tabmesh:grow". */
export const GROW = { refused: 1, impossible: 2 } as const;

/**
 * The body of a helper, of type `(i32) -> (i32)`.
 * `chargeBytes(n)`: takes fuel for n bytes, returns n. `chargeEntries(n)`: takes fuel for n entries of a table, returns n.
 * `grow(n)`: `memory.grow` that answers -1 beyond the cap, takes fuel per page otherwise, and traps when the engine
 * cannot give what the cap allows (so that a machine short of memory never looks like a program's own failure). In a
 * standalone module: `memory.grow` that takes fuel when it succeeds.
 * `checkTable + t (i)`: traps with the hint "indirect call" where entry i of table t does not exist, returns i.
 */
export function writeHelper(writer: ByteWriter, id: number, layout: Layout): void {
  const sized = writer.beginSized();
  writer.u32(0);
  const code = new HelperWriter(writer, layout.globals);
  if (id === HELPER.chargeBytes) code.chargeBytes();
  else if (id === HELPER.chargeEntries) code.charge(TABLE_ENTRY_COST);
  else if (id === HELPER.grow && layout.standalone) code.growFreely();
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
    this.#take(() => {
      writeWithConstant(this.#writer, OP.i64Const, BULK_BYTES_PER_FUEL - 1, WRITTEN.i64Add);
      writeWithConstant(this.#writer, OP.i64Const, BULK_BYTES_PER_FUEL, WRITTEN.i64DivU);
    });
  }

  /** Takes `cost` for each that the operand counts. */
  charge(cost: number): void {
    this.#take(() => writeWithConstant(this.#writer, OP.i64Const, cost, WRITTEN.i64Mul));
  }

  grow(): void {
    const writer = this.#writer;
    this.#operand();
    writer.bytes([OP.memorySize, 0, WRITTEN.i64ExtendI32U, WRITTEN.i64Add]);
    writeIndexed(writer, OP.globalGet, this.#globals.pages);
    writer.bytes([WRITTEN.i64ExtendI32U, WRITTEN.i64GtU, OP.if, TYPE.empty, OP.i32Const, GROW.refused]);
    writeIndexed(writer, OP.globalSet, this.#globals.grow);
    writer.bytes([OP.i32Const, MINUS_ONE, OP.return, OP.end]);
    this.charge(GROWN_PAGE_COST);
    writer.bytes([OP.localGet, 0, OP.memoryGrow, 0, OP.localTee, 0, OP.i32Const, MINUS_ONE, WRITTEN.i32Eq]);
    writer.bytes([OP.if, TYPE.empty, OP.i32Const, GROW.impossible]);
    writeIndexed(writer, OP.globalSet, this.#globals.grow);
    writer.bytes([OP.unreachable, OP.end]);
  }

  growFreely(): void {
    const writer = this.#writer;
    writer.bytes([OP.memorySize, 0, OP.localGet, 0, OP.memoryGrow, 0, OP.i32Const, MINUS_ONE, WRITTEN.i32Eq]);
    writer.bytes([OP.if, TYPE.empty, OP.i32Const, MINUS_ONE, OP.return, OP.end]);
    this.charge(GROWN_PAGE_COST);
    writer.bytes([OP.return]);
  }

  checkTable(table: number): void {
    const writer = this.#writer;
    writer.bytes([OP.localGet, 0, OP.bulkPrefix, BULK.tableSize]);
    writer.u32(table);
    writer.bytes([WRITTEN.i32GeU, OP.if, TYPE.empty, OP.i32Const]);
    writer.positive(TRAP_INDIRECT);
    writeIndexed(writer, OP.globalSet, this.#globals.hint);
    writer.bytes([OP.unreachable, OP.end]);
  }

  /** Takes fuel: the operand as u64, after `scale` has been applied to it; then looks whether any is left. */
  #take(scale: () => void): void {
    writeTake(this.#writer, this.#globals.fuel, () => {
      this.#operand();
      scale();
    });
    writeGlobalCheck(this.#writer, this.#globals.fuel);
  }

  #operand(): void {
    this.#writer.bytes([OP.localGet, 0, WRITTEN.i64ExtendI32U]);
  }
}
