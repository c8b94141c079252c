import {
  bytes32,
  bytes64,
  canTrap,
  type Instruction,
  instruction,
  nanOf,
  type Operation,
  OPERATIONS,
  signed,
  unsigned,
  type ValueType,
} from "./instructions.contract.ts";
import { pathsOf } from "./nan-paths.contract.ts";
import type { Program, ProgramFunction } from "./program.contract.ts";

/** One instruction on every pair of special values, looked at in every way; for engines whose NaNs differ. */
export interface Torture {
  readonly says: string;
  readonly program: Program;
}

// Zeros, infinities, quiet and signalling NaNs of both signs with payloads, denormals, what overflows or becomes -0 when it is
// narrowed, and what becomes -0 or lies between two when it is rounded.
const SINGLES = [
  0, 0x80000000, 0x3f800000, 0xff7fffff, 0x7f800000, 0xff800000, 0x7fc00000, 0xffc00000, 0x7f800001,
  0xffa12345, 0x7fffffff, 1, 0xbf000000, 0x40200000, 0x80000003, 0xbe99999a,
];
const DOUBLES = [
  0n,
  0x8000000000000000n,
  0xbff8000000000000n,
  0x7fefffffffffffffn,
  0x7ff0000000000000n,
  0xfff0000000000000n,
  0x7ff8000000000000n,
  0xfff8000000000000n,
  0x7ff0000000000001n,
  0xfff4000012345678n,
  0x7fffffffffffffffn,
  1n,
  0xbfe0000000000000n,
  0x4004000000000000n,
  0x8000000000000003n,
  0xbfd3333333333333n,
];

const OUTPUT_BYTES = 131_072;
/** Rows of 16 bytes each with the operands. */
const ROWS = SINGLES.length;
const RESULTS_AT = 1_024;

const LOADS: Readonly<Partial<Record<ValueType, number>>> = {
  i32: 0x28,
  i64: 0x29,
  f32: 0x2a,
  f64: 0x2b,
  v128: 0xfd00,
};

function concerns({ code, operands, result, immediate }: Operation): boolean {
  if (immediate === "memory" || immediate === "memory-lane" || canTrap(code)) return false;
  const floats = [...operands, result].some((type) => type === "f32" || type === "f64");
  // pmin and pmax, abs and neg of vectors: bits go through them as they are.
  const exact = [0xfde0, 0xfde1, 0xfdec, 0xfded, 0xfdea, 0xfdeb, 0xfdf6, 0xfdf7, 0xfd52];
  return floats || nanOf(code) !== undefined || exact.includes(code);
}

function rowBytes(type: ValueType | undefined, row: number, wide: boolean): number[] {
  const at = (shift: number): number => (row + shift) % ROWS;
  const double = (shift: number): number[] => bytes64(DOUBLES[at(shift)] ?? 0n);
  const single = (shift: number): number[] => bytes32(SINGLES[at(shift)] ?? 0);
  const doubles = type === "f64" || type === "i64" || (type === "v128" && wide);
  return doubles ? [...double(0), ...double(5)] : [...single(0), ...single(3), ...single(7), ...single(8)];
}

/** A constant with the bytes of a row. */
function constantOf(type: ValueType, bytes: readonly number[]): Instruction {
  if (type === "f32") return instruction(0x43, ...bytes.slice(0, 4));
  if (type === "f64") return instruction(0x44, ...bytes.slice(0, 8));
  if (type === "v128") return instruction(0xfd0c, ...bytes);
  const view = new DataView(Uint8Array.from(bytes).buffer);
  return type === "i32"
    ? instruction(0x41, ...signed(BigInt(view.getInt32(0, true))))
    : instruction(0x42, ...signed(view.getBigInt64(0, true)));
}

// Locals of the function that looks: operands first, then these.
const ROW_LOCALS: readonly ValueType[] = ["i32"];

/** Makes the module for one instruction. */
function tortureOf(operation: Operation): Program {
  const { code, operands, result, immediate } = operation;
  if (result === undefined) throw new TypeError("a store leaves nothing to look at");
  const immediates = immediate === "lane" ? [1] : immediate === "shuffle" ? [...Array(16).keys()] : [];
  const itself = instruction(code, ...immediates);
  const wide = nanOf(code) === "f64x2" || code >= 0xfdec || code === 0xfd21 || code === 0xfd22;
  const rows = Array.from({ length: ROWS }, (_, row) => rowBytes(operands[0], row, wide)).flat();
  const paths = pathsOf(result);
  const stride = paths.length * 16;
  const place = {
    address: operands.length,
    spare: operands.length + 1,
    global: 0,
    identity: 0,
    identityType: 0,
  };
  const compute = [...operands.map((_, index) => instruction(0x20, index)), itself];
  const look: ProgramFunction = {
    type: 1,
    locals: [result],
    body: paths.flatMap((path) => advanced(path({ ...place, compute }, 0), place.address)),
  };
  return {
    types: [
      { parameters: [result], results: [result] },
      { parameters: [...operands, ...ROW_LOCALS], results: [] },
      { parameters: ["i32"], results: ["i32"] },
      { parameters: ["i32", "i32"], results: ["i64"] },
    ],
    functions: [
      { type: 0, locals: [], body: [instruction(0x20, 0)] },
      look,
      { type: 2, locals: [], body: [instruction(0x41, 0)] },
      runOf(operands, stride, folded(operation, itself, rows, paths.length)),
    ],
    globals: [{ type: result, initial: constantOf(result, rows.slice(0, 16)) }],
    tables: [{ minimum: 1, maximum: 1 }],
    memory: [2, 2],
    elements: [{ passive: false, functions: [0] }],
    data: [{ passive: false, offset: 0, bytes: rows }],
    exports: [
      { name: "memory", kind: 2, index: 0 },
      { name: "tabmesh_alloc", kind: 0, index: 2 },
      { name: "tabmesh_run", kind: 0, index: 3 },
    ],
    start: undefined,
  };
}

/** A path of its own: the address moves on by 16 bytes behind it. */
function advanced(path: readonly Instruction[], address: number): Instruction[] {
  return [
    ...path,
    instruction(0x20, address),
    instruction(0x41, 16),
    instruction(0x6a),
    instruction(0x21, address),
  ];
}

/** The same on constants, which an engine may compute before it runs anything. */
function folded(
  operation: Operation,
  itself: Instruction,
  rows: readonly number[],
  paths: number,
): Instruction[] {
  const { operands, result = "i32" } = operation;
  const row = (index: number): number[] => rows.slice((index % ROWS) * 16, (index % ROWS) * 16 + 16);
  return Array.from({ length: ROWS }, (_, index) => {
    const compute = operands.map((type, place) => constantOf(type, row(index + place * 5)));
    const direct = pathsOf(result)[result === "v128" ? 0 : index % Math.min(2, paths)];
    const place = {
      address: 4,
      spare: 5,
      global: 0,
      identity: 0,
      identityType: 0,
      compute: [...compute, itself],
    };
    return direct === undefined ? [] : advanced(direct(place, 0), 4);
  }).flat();
}

function get(index: number): Instruction {
  return instruction(0x20, index);
}

function i32(value: number): Instruction {
  return instruction(0x41, ...signed(BigInt(value)));
}

/** For all pairs of rows: loads the operands, looks. Locals: 2 and 3 count rows, 4 is the address, 5 is free. */
function runOf(
  operands: readonly ValueType[],
  stride: number,
  constants: readonly Instruction[],
): ProgramFunction {
  const add = (local: number, by: number): Instruction[] => [get(local), i32(by), instruction(0x6a)];
  const again = (local: number): Instruction[] => [
    ...add(local, 16),
    instruction(0x22, local),
    i32(ROWS * 16),
    instruction(0x48),
    instruction(0x0d, 0),
    instruction(0x0b),
  ];
  const loads = operands.flatMap((type, index) => [
    get(index % 2 === 0 ? 2 : 3),
    instruction(LOADS[type] ?? 0x28, 0, ...unsigned(0)),
  ]);
  return {
    type: 3,
    locals: ["i32", "i32", "i32"],
    body: [
      i32(RESULTS_AT),
      instruction(0x21, 4),
      instruction(0x03, 0x40),
      i32(0),
      instruction(0x21, 3),
      instruction(0x03, 0x40),
      ...loads,
      get(4),
      instruction(0x10, 1),
      ...add(4, stride),
      instruction(0x21, 4),
      ...(operands.length > 1 ? again(3) : [instruction(0x0b)]),
      ...again(2),
      ...constants,
      instruction(0x42, ...signed(BigInt(OUTPUT_BYTES))),
    ],
  };
}

/** A program for every instruction that takes, makes or moves floats. */
export function tortures(): readonly Torture[] {
  return OPERATIONS.filter((each) => each.result !== undefined && concerns(each)).map((operation) => ({
    says: `instruction 0x${operation.code.toString(16)}`,
    program: tortureOf(operation),
  }));
}
