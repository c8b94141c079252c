import { failureCode } from "../../protocol/failure-code.ts";
import { type ByteReader, refuseModule } from "../decode/byte-reader.ts";
import type { ModuleShape } from "../decode/module-shape.ts";
import { BULK, NAN, SHAPE, VECTOR, VECTOR_NAN } from "../decode/opcodes.ts";
import { MAX_ENTRIES } from "../limits.ts";
import { type BodyPlan, EVENT, HELPER } from "./body-plan.ts";
import type { ControlStack } from "./control-stack.ts";

const TRAP_TABLE = failureCode("trap-table-bounds");

/** Where the scanner is: the module, the body it reads, and what it has found in it so far. */
export interface ScanContext {
  readonly shape: ModuleShape;
  readonly plan: BodyPlan;
  readonly control: ControlStack;
  reader: ByteReader;
}

/** Plans the canonicalisation of the value that the instruction read last has left. */
export function canonicalise({ plan, reader }: ScanContext, kind: number): void {
  plan.addEvent(reader.at, EVENT.canonicalise, kind);
  plan.nanKinds |= 1 << kind;
}

/** Engines report the trap of this instruction in the same words as another's; the hint tells them apart. */
export function hintAround({ plan, reader }: ScanContext, at: number, code: number): void {
  plan.addEvent(at, EVENT.hint, code);
  plan.addEvent(reader.at, EVENT.hint, 0);
}

/** Alignment and offset of a load or store. */
export function readMemoryAccess({ reader, shape }: ScanContext): void {
  const { at } = reader;
  if (reader.u32("alignment") >= 64) refuseModule("several memories are not part of profile 0", at);
  reader.u32("memory offset");
  if (shape.memory === undefined) refuseModule("a memory instruction without a memory", at);
}

/** The index of the only memory, one byte. */
export function readMemoryIndex({ reader, shape }: ScanContext): void {
  const { at } = reader;
  if (reader.u8("memory") !== 0) refuseModule("several memories are not part of profile 0", at);
  if (shape.memory === undefined) refuseModule("a memory instruction without a memory", at);
}

/** After the prefix 0xfc. @param at offset of the prefix */
export function scanBulk(context: ScanContext, at: number): void {
  const { reader, control, plan } = context;
  const code = reader.u32("bulk instruction");
  if (code <= BULK.lastTruncation) {
    control.pop(1, at);
    control.push(1);
  } else if (code <= BULK.memoryFill) {
    if (code === BULK.memoryInit || code === BULK.dataDrop)
      reader.count("index of a data segment", MAX_ENTRIES);
    if (code === BULK.dataDrop) return;
    readMemoryIndex(context);
    if (code === BULK.memoryCopy) readMemoryIndex(context);
    plan.addEvent(at, EVENT.call, HELPER.chargeBytes);
    control.pop(3, at);
  } else scanBulkTable(context, code, at);
}

function scanBulkTable(context: ScanContext, code: number, at: number): void {
  const { reader, control, plan, shape } = context;
  if (code > BULK.tableFill) refuseModule(`instruction 0xfc ${code} is not part of profile 0`, at);
  if (code === BULK.elementDrop || code === BULK.tableInit)
    reader.index("element segment", shape.elementSegments);
  if (code === BULK.elementDrop) return;
  reader.index("table", shape.tables.length);
  if (code === BULK.tableCopy) reader.index("table", shape.tables.length);
  if (code === BULK.tableSize) return control.push(1);
  plan.addEvent(at, EVENT.call, HELPER.chargeEntries);
  if (code === BULK.tableGrow) {
    control.pop(2, at);
    return control.push(1);
  }
  hintAround(context, at, TRAP_TABLE);
  control.pop(3, at);
}

/** After the prefix 0xfd. @param at offset of the prefix */
export function scanVector(context: ScanContext, at: number): void {
  const { reader, control } = context;
  const code = reader.u32("vector instruction");
  if (code >= 0x100) refuseModule("relaxed SIMD is refused: its results differ between machines", at);
  control.pop(VECTOR.pops[code] ?? 0, at);
  readVectorImmediates(context, VECTOR.shape[code] ?? SHAPE.refused, code, at);
  control.push(VECTOR.pushes[code] ?? 0);
  const nan = VECTOR_NAN[code] ?? NAN.none;
  if (nan !== NAN.none) canonicalise(context, nan);
}

function readVectorImmediates(context: ScanContext, shape: number, code: number, at: number): void {
  const { reader } = context;
  switch (shape) {
    case SHAPE.none:
      return;
    case SHAPE.memoryAccess:
      return readMemoryAccess(context);
    case SHAPE.vectorBytes:
      return reader.skip(16, "bytes of a vector");
    case SHAPE.memoryLane:
      readMemoryAccess(context);
      reader.u8("lane");
      return;
    case SHAPE.lane:
      reader.u8("lane");
      return;
    default:
      return refuseModule(`unknown vector instruction ${code}`, at);
  }
}
