/**
 * The instructions that profile 1 accepts, and what a reader needs to know of each: the shape of its immediates and how
 * many operands it pops and pushes. From the WebAssembly core specification 2.0, section 5.4, with tail calls, without its
 * relaxed or threaded extensions. What is not listed is refused: `refusalOf` gives the reason.
 */

/** Shapes of immediates. Numbers, because the scanner switches over one per instruction. */
export const SHAPE = {
  refused: 0,
  none: 1,
  block: 2,
  branch: 3,
  branchTable: 4,
  call: 5,
  callIndirect: 6,
  local: 7,
  global: 8,
  memoryAccess: 9,
  memoryIndex: 10,
  i32: 11,
  i64: 12,
  f32: 13,
  f64: 14,
  selectTypes: 15,
  referenceType: 16,
  functionIndex: 17,
  tableIndex: 18,
  bulkPrefix: 19,
  vectorPrefix: 20,
  vectorBytes: 21,
  lane: 22,
  memoryLane: 23,
  unreachable: 24,
  else: 25,
  end: 26,
  return: 27,
} as const;

/** Instruction bytes that the rewriter treats specially. */
export const OP = {
  unreachable: 0x00,
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  else: 0x05,
  end: 0x0b,
  br: 0x0c,
  brIf: 0x0d,
  return: 0x0f,
  call: 0x10,
  returnCall: 0x12,
  returnCallIndirect: 0x13,
  select: 0x1b,
  localGet: 0x20,
  localSet: 0x21,
  localTee: 0x22,
  globalGet: 0x23,
  globalSet: 0x24,
  memorySize: 0x3f,
  memoryGrow: 0x40,
  i32Const: 0x41,
  i64Const: 0x42,
  f32Const: 0x43,
  f64Const: 0x44,
  i32DivS: 0x6d,
  i64DivS: 0x7f,
  refNull: 0xd0,
  refFunc: 0xd2,
  bulkPrefix: 0xfc,
  vectorPrefix: 0xfd,
} as const;

/** One row per instruction: its shape, pops and pushes. */
export interface OpcodeTable {
  readonly shape: Uint8Array;
  readonly pops: Uint8Array;
  readonly pushes: Uint8Array;
}

function emptyTable(): OpcodeTable {
  return { shape: new Uint8Array(256), pops: new Uint8Array(256), pushes: new Uint8Array(256) };
}

/** Fills rows `first` to `last`, both included. */
function fill(
  table: OpcodeTable,
  first: number,
  last: number,
  shape: number,
  pops: number,
  pushes: number,
): void {
  table.shape.fill(shape, first, last + 1);
  table.pops.fill(pops, first, last + 1);
  table.pushes.fill(pushes, first, last + 1);
}

function plainTable(): OpcodeTable {
  const table = emptyTable();
  const row = (first: number, last: number, shape: number, pops: number, pushes: number): void =>
    fill(table, first, last, shape, pops, pushes);
  row(0x00, 0x00, SHAPE.unreachable, 0, 0);
  row(0x01, 0x01, SHAPE.none, 0, 0);
  row(0x02, 0x04, SHAPE.block, 0, 0);
  row(0x05, 0x05, SHAPE.else, 0, 0);
  row(0x0b, 0x0b, SHAPE.end, 0, 0);
  row(0x0c, 0x0d, SHAPE.branch, 0, 0);
  row(0x0e, 0x0e, SHAPE.branchTable, 1, 0);
  row(0x0f, 0x0f, SHAPE.return, 0, 0);
  row(0x10, 0x10, SHAPE.call, 0, 0);
  row(0x11, 0x11, SHAPE.callIndirect, 1, 0);
  row(0x12, 0x12, SHAPE.call, 0, 0);
  row(0x13, 0x13, SHAPE.callIndirect, 1, 0);
  row(0x1a, 0x1a, SHAPE.none, 1, 0);
  row(0x1b, 0x1b, SHAPE.none, 3, 1);
  row(0x1c, 0x1c, SHAPE.selectTypes, 3, 1);
  row(0x20, 0x20, SHAPE.local, 0, 1);
  row(0x21, 0x21, SHAPE.local, 1, 0);
  row(0x22, 0x22, SHAPE.local, 1, 1);
  row(0x23, 0x23, SHAPE.global, 0, 1);
  row(0x24, 0x24, SHAPE.global, 1, 0);
  row(0x25, 0x25, SHAPE.tableIndex, 1, 1);
  row(0x26, 0x26, SHAPE.tableIndex, 2, 0);
  row(0x28, 0x35, SHAPE.memoryAccess, 1, 1);
  row(0x36, 0x3e, SHAPE.memoryAccess, 2, 0);
  row(0x3f, 0x3f, SHAPE.memoryIndex, 0, 1);
  row(0x40, 0x40, SHAPE.memoryIndex, 1, 1);
  row(0x41, 0x41, SHAPE.i32, 0, 1);
  row(0x42, 0x42, SHAPE.i64, 0, 1);
  row(0x43, 0x43, SHAPE.f32, 0, 1);
  row(0x44, 0x44, SHAPE.f64, 0, 1);
  numericRows(row);
  row(0xd0, 0xd0, SHAPE.referenceType, 0, 1);
  row(0xd1, 0xd1, SHAPE.none, 1, 1);
  row(0xd2, 0xd2, SHAPE.functionIndex, 0, 1);
  row(0xfc, 0xfc, SHAPE.bulkPrefix, 0, 0);
  row(0xfd, 0xfd, SHAPE.vectorPrefix, 0, 0);
  return table;
}

type FillRow = (first: number, last: number, shape: number, pops: number, pushes: number) => void;

/** Numeric instructions: tests, comparisons, arithmetic, conversions, sign extension. */
function numericRows(row: FillRow): void {
  row(0x45, 0x45, SHAPE.none, 1, 1);
  row(0x46, 0x4f, SHAPE.none, 2, 1);
  row(0x50, 0x50, SHAPE.none, 1, 1);
  row(0x51, 0x66, SHAPE.none, 2, 1);
  row(0x67, 0x69, SHAPE.none, 1, 1);
  row(0x6a, 0x78, SHAPE.none, 2, 1);
  row(0x79, 0x7b, SHAPE.none, 1, 1);
  row(0x7c, 0x8a, SHAPE.none, 2, 1);
  row(0x8b, 0x91, SHAPE.none, 1, 1);
  row(0x92, 0x98, SHAPE.none, 2, 1);
  row(0x99, 0x9f, SHAPE.none, 1, 1);
  row(0xa0, 0xa6, SHAPE.none, 2, 1);
  row(0xa7, 0xc4, SHAPE.none, 1, 1);
}

/** After the prefix 0xfc: saturating truncation 0 to 7, then bulk memory and tables; those are read by the scanner. */
export const BULK = {
  lastTruncation: 7,
  memoryInit: 8,
  dataDrop: 9,
  memoryCopy: 10,
  memoryFill: 11,
  tableInit: 12,
  elementDrop: 13,
  tableCopy: 14,
  tableGrow: 15,
  tableSize: 16,
  tableFill: 17,
} as const;

/** After the prefix 0xfd, fixed-width SIMD: sub-opcodes 0 to 255 with holes. */
function vectorTable(): OpcodeTable {
  const table = emptyTable();
  fill(table, 0, 255, SHAPE.none, 2, 1);
  fill(table, 0, 10, SHAPE.memoryAccess, 1, 1);
  fill(table, 11, 11, SHAPE.memoryAccess, 2, 0);
  fill(table, 12, 12, SHAPE.vectorBytes, 0, 1);
  fill(table, 13, 13, SHAPE.vectorBytes, 2, 1);
  fill(table, 15, 20, SHAPE.none, 1, 1);
  for (const extract of [21, 22, 24, 25, 27, 29, 31, 33]) fill(table, extract, extract, SHAPE.lane, 1, 1);
  for (const replace of [23, 26, 28, 30, 32, 34]) fill(table, replace, replace, SHAPE.lane, 2, 1);
  fill(table, 82, 82, SHAPE.none, 3, 1);
  fill(table, 84, 87, SHAPE.memoryLane, 2, 1);
  fill(table, 88, 91, SHAPE.memoryLane, 2, 0);
  fill(table, 92, 93, SHAPE.memoryAccess, 1, 1);
  for (const unary of VECTOR_UNARY) fill(table, unary, unary, SHAPE.none, 1, 1);
  for (const hole of VECTOR_HOLES) fill(table, hole, hole, SHAPE.refused, 0, 0);
  return table;
}

// oxfmt-ignore
const VECTOR_UNARY: readonly number[] = [
  77, 83, 94, 95, 96, 97, 98, 99, 100, 103, 104, 105, 106, 116, 117, 122, 124, 125, 126, 127, 128, 129, 131, 132,
  135, 136, 137, 138, 148, 160, 161, 163, 164, 167, 168, 169, 170, 192, 193, 195, 196, 199, 200, 201, 202,
  224, 225, 227, 236, 237, 239, 248, 249, 250, 251, 252, 253, 254, 255,
];

// oxfmt-ignore
const VECTOR_HOLES: readonly number[] = [
  154, 162, 165, 166, 175, 176, 178, 179, 180, 187, 194, 197, 198, 207, 208, 210, 211, 212, 226, 238,
];

export const PLAIN: OpcodeTable = plainTable();
export const VECTOR: OpcodeTable = vectorTable();

/** How the result of an instruction can be a NaN whose bits differ between machines. */
export const NAN = { none: 0, f32: 1, f64: 2, f32x4: 3, f64x2: 4 } as const;

function nanRows(groups: readonly (readonly [readonly number[], number])[]): Uint8Array {
  const rows = new Uint8Array(256);
  for (const [codes, kind] of groups) for (const code of codes) rows[code] = kind;
  return rows;
}

/** ceil, floor, trunc, nearest, sqrt, add, sub, mul, div, min, max of each width; demote and promote. */
export const PLAIN_NAN: Uint8Array = nanRows([
  [[0x8d, 0x8e, 0x8f, 0x90, 0x91, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97, 0xb6], NAN.f32],
  [[0x9b, 0x9c, 0x9d, 0x9e, 0x9f, 0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xbb], NAN.f64],
]);

/** The same by lanes. `pmin` and `pmax` return one operand unchanged, so they are not among them. */
export const VECTOR_NAN: Uint8Array = nanRows([
  [[94, 103, 104, 105, 106, 227, 228, 229, 230, 231, 232, 233], NAN.f32x4],
  [[95, 116, 117, 122, 148, 239, 240, 241, 242, 243, 244, 245], NAN.f64x2],
]);

/** Why an instruction is not accepted, for a person. */
export function refusalOf(opcode: number): string {
  if (opcode === 0xfe) return "threads and atomics are refused: their results depend on timing";
  if (opcode === 0xfb) return "garbage-collected types are not part of profile 1";
  if (opcode === 0x14 || opcode === 0x15 || (opcode >= 0xd3 && opcode <= 0xd6))
    return "typed function references are not part of profile 1";
  const exceptions =
    (opcode >= 0x06 && opcode <= 0x0a) || opcode === 0x18 || opcode === 0x19 || opcode === 0x1f;
  return exceptions
    ? "exceptions: they would let code go on after a limit was reached"
    : "unknown instruction";
}
