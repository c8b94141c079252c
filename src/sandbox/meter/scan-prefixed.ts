import { failureCode } from "../../protocol/failure-code.ts";
import { refuseModule } from "../decode/byte-reader.ts";
import { BULK, NAN, SHAPE, VECTOR, VECTOR_NAN } from "../decode/opcodes.ts";
import { MAX_ENTRIES } from "../limits.ts";
import { EVENT, HELPER } from "./body-plan.ts";
import { BULK_COST, SATURATING_TRUNCATION_COST, VECTOR_COST } from "./costs.ts";
import { VECTOR_USE } from "./float-use.ts";
import { OPERAND } from "./float-track.ts";
import { flush, hintAround, keepResult, leaveArithmetic, type ScanContext } from "./scan-context.ts";

const TRAP_TABLE = failureCode("trap-table-bounds");

/** Alignment and offset of a load or store. */
export function readMemoryAccess({ reader, shape }: ScanContext): void {
  const { at } = reader;
  if (reader.u32("alignment") >= 64) refuseModule("several memories are not part of profile 1", at);
  reader.u32("memory offset");
  if (shape.memory === undefined) refuseModule("a memory instruction without a memory", at);
}

/** The index of the only memory, one byte. */
export function readMemoryIndex({ reader, shape }: ScanContext): void {
  const { at } = reader;
  if (reader.u8("memory") !== 0) refuseModule("several memories are not part of profile 1", at);
  if (shape.memory === undefined) refuseModule("a memory instruction without a memory", at);
}

/** After the prefix 0xfc. @param at offset of the prefix */
export function scanBulk(context: ScanContext, at: number): void {
  const { reader, control, plan } = context;
  const code = reader.u32("bulk instruction");
  plan.charge(control.block, code <= BULK.lastTruncation ? SATURATING_TRUNCATION_COST : BULK_COST);
  if (code <= BULK.lastTruncation) {
    control.pop(1, at);
    control.push(1);
  } else if (code <= BULK.memoryFill) {
    if (code === BULK.memoryInit || code === BULK.dataDrop)
      reader.count("index of a data segment", MAX_ENTRIES);
    if (code === BULK.dataDrop) return;
    readMemoryIndex(context);
    if (code === BULK.memoryCopy) readMemoryIndex(context);
    flush(context, EVENT.flush, at);
    plan.addEvent(at, EVENT.helper, HELPER.chargeBytes);
    control.pop(3, at);
  } else scanBulkTable(context, code, at);
}

function scanBulkTable(context: ScanContext, code: number, at: number): void {
  const { reader, control, plan, shape } = context;
  if (code > BULK.tableFill) refuseModule(`instruction 0xfc ${code} is not part of profile 1`, at);
  if (code === BULK.elementDrop || code === BULK.tableInit)
    reader.index("element segment", shape.elementSegments);
  if (code === BULK.elementDrop) return;
  reader.index("table", shape.tables.length);
  if (code === BULK.tableCopy) reader.index("table", shape.tables.length);
  if (code === BULK.tableSize) return control.push(1);
  flush(context, EVENT.flush, at);
  plan.addEvent(at, EVENT.helper, HELPER.chargeEntries);
  if (code === BULK.tableGrow) {
    control.pop(2, at);
    return control.push(1);
  }
  hintAround(context, at, TRAP_TABLE);
  control.pop(3, at);
}

/** After the prefix 0xfd. @param at offset of the prefix */
export function scanVector(context: ScanContext, at: number): void {
  const { reader, control, plan, floats } = context;
  const code = reader.u32("vector instruction");
  if (code >= 0x100) refuseModule("relaxed SIMD is refused: its results differ between machines", at);
  plan.charge(control.block, VECTOR_COST[code] ?? 0);
  const pops = VECTOR.pops[code] ?? 0;
  if (floats.active) context.result = floats.consume(VECTOR_USE[code] ?? 0, pops, control.height);
  control.pop(pops, at);
  readVectorImmediates(context, VECTOR.shape[code] ?? SHAPE.refused, code, at);
  control.push(VECTOR.pushes[code] ?? 0);
  const nan = VECTOR_NAN[code] ?? NAN.none;
  if (nan !== NAN.none) leaveArithmetic(context, nan);
  keepResult(context);
}

function readVectorImmediates(context: ScanContext, shape: number, code: number, at: number): void {
  const { reader } = context;
  switch (shape) {
    case SHAPE.none:
      return;
    case SHAPE.memoryAccess:
      return readMemoryAccess(context);
    case SHAPE.vectorBytes:
      reader.skip(16, "bytes of a vector");
      if (code === VECTOR_CONST && context.floats.active && isNumber(reader.bytes, reader.at))
        context.result = OPERAND.number;
      return;
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

const VECTOR_CONST = 12;

/** Whether no lane of either width is a NaN in the vector that ends at `end`. */
function isNumber(bytes: Uint8Array, end: number): boolean {
  for (let at = end - 16; at < end; at += 4) {
    const high = ((bytes[at + 3] ?? 0) << 8) | (bytes[at + 2] ?? 0);
    if ((high & 0x7f80) === 0x7f80 || (high & 0x7ff0) === 0x7ff0) return false;
  }
  return true;
}
