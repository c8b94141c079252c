import { OP } from "../decode/opcodes.ts";
import { isValueType, TYPE } from "../decode/value-types.ts";
import { MAX_BRANCH_TARGETS } from "../limits.ts";
import { EVENT, HELPER } from "./body-plan.ts";
import {
  beginBlock,
  closeFrame,
  fixEntry,
  flush,
  observe,
  offerEntry,
  type ScanContext,
  settle,
} from "./scan-context.ts";

/** `block`, `loop`, `if`. @param at offset of the instruction, here and below */
export function scanBlock(context: ScanContext, opcode: number, at: number): void {
  const { control, plan, reader, starting } = context;
  const { parameters, results } = readBlockType(context);
  if (opcode === OP.if) control.pop(1, at);
  observe(context, parameters);
  control.pop(parameters, at);
  if (opcode !== OP.block) settle(context, at);
  control.enter(opcode, parameters, results, control.block, at);
  if (context.floats.flow.active) context.floats.flow.enter(control.depth - 1, opcode);
  if (opcode === OP.if) {
    if (starting) context.firstIf = control.depth;
    beginBlock(context);
  }
  if (opcode !== OP.loop) return;
  plan.loops = true;
  fixEntry(context, false);
  control.block = plan.addBlock(reader.at, control.depth, -1);
}

function readBlockType({ reader, shape }: ScanContext): { parameters: number; results: number } {
  const byte = reader.bytes[reader.at] ?? 0;
  if (byte === TYPE.empty || isValueType(byte)) {
    reader.u8("type of a block");
    return { parameters: 0, results: byte === TYPE.empty ? 0 : 1 };
  }
  // A type index is a non-negative signed LEB128, which has the same bytes as an unsigned one below 2^31 (and one
  // more where its highest bit would read as a sign; the engine refuses the other way round).
  const type = shape.types[reader.index("type of a block", shape.types.length)];
  return { parameters: type?.parameters.length ?? 0, results: type?.results.length ?? 0 };
}

export function scanElse(context: ScanContext, at: number): void {
  const { control, plan } = context;
  observe(context, control.results);
  settle(context, at);
  control.switchToElse(at);
  if (context.floats.flow.active) context.floats.flow.switchToElse(control.depth - 1);
  closeFrame(context, control.depth);
  beginBlock(context);
  if (context.firstIf !== control.depth) return;
  context.firstIf = 0;
  if ((plan.copies[control.block] ?? -1) >= 0) plan.otherArm = control.block;
}

export function scanEnd(context: ScanContext, at: number): void {
  const { control, plan } = context;
  observe(context, control.results);
  if (control.depth === 1 && !plan.branchesOut) flush(context, EVENT.flush, at);
  else settle(context, at);
  closeFrame(context, control.depth);
  if (context.firstIf === control.depth) context.firstIf = 0;
  if (context.floats.flow.active) context.floats.flow.leave(control.depth - 1);
  if (control.leave()) beginBlock(context);
  else if (context.entry.lost) offerEntry(context);
}

/** `br` and `br_if`. */
export function scanBranch(context: ScanContext, opcode: number, at: number): void {
  const { control, plan, reader, starting } = context;
  settle(context, at);
  const label = reader.u32("label");
  if (opcode === OP.brIf) control.pop(1, at);
  const operands = branchTo(context, label, at);
  if (starting && opcode === OP.brIf && operands === 0) {
    plan.earlyExit = reader.at - at;
    plan.addEvent(at, EVENT.earlyExit, label);
  }
  if (opcode !== OP.brIf) return endOfPath(context);
  if (context.floats.flow.active) context.floats.flow.afterBranch(true);
  beginBlock(context);
}

/** Returns how many operands it takes along. */
function branchTo(context: ScanContext, label: number, at: number): number {
  const { control, floats, plan } = context;
  if (label === control.depth - 1) plan.branchesOut = true;
  if (floats.flow.active && label < control.depth) floats.flow.branch(control.depth - 1 - label);
  const operands = control.branchTo(label, at);
  observe(context, operands);
  return operands;
}

export function scanBranchTable(context: ScanContext, at: number): void {
  const { reader } = context;
  settle(context, at);
  const targets = reader.count("targets of a br_table", MAX_BRANCH_TARGETS);
  for (let i = 0; i <= targets; i += 1) branchTo(context, reader.u32("label"), at);
  endOfPath(context);
}

export function scanReturn(context: ScanContext, at: number): void {
  const { control } = context;
  flush(context, EVENT.flush, at);
  observe(context, control.branchTo(control.depth - 1, at));
  endOfPath(context);
}

export function endOfPath(context: ScanContext): void {
  if (context.floats.flow.active) context.floats.flow.afterBranch(false);
  context.control.markUnreachable();
  beginBlock(context);
}

export function scanCall(context: ScanContext, at: number, tail: boolean): void {
  const { reader, shape } = context;
  call(context, shape.functionTypes[reader.index("function", shape.functionTypes.length)] ?? 0, at, tail);
}

export function scanCallIndirect(context: ScanContext, at: number, tail: boolean): void {
  const { plan, reader, shape } = context;
  const type = reader.index("type", shape.types.length);
  const table = reader.index("table", shape.tables.length);
  plan.addEvent(at, EVENT.checkTable, HELPER.checkTable + table);
  call(context, type, at, tail);
}

function call(context: ScanContext, typeIndex: number, at: number, tail: boolean): void {
  const { control, shape } = context;
  const type = shape.types[typeIndex];
  const parameters = type?.parameters.length ?? 0;
  fixEntry(context, true);
  flush(context, tail ? EVENT.tailCall : EVENT.call, at);
  observe(context, parameters);
  if (!tail) {
    context.calls = true;
    return control.call(parameters, type?.results.length ?? 0, at);
  }
  context.tailCalls = true;
  control.branchTo(control.depth - 1, at);
  control.pop(parameters, at);
  endOfPath(context);
}
