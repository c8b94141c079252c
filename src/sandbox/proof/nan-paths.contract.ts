import { type Instruction, instruction, type ValueType } from "./instructions.contract.ts";

/** Ways by which the bits of a float can be seen. Each leaves the stack as it found it and stores at an address in a local. */

export interface PathPlace {
  /** Leaves the value whose bits are looked at. May stand more than once. */
  readonly compute: readonly Instruction[];
  /** Local with the address to store at. */
  readonly address: number;
  /** A local of the value's type, free to use. */
  readonly spare: number;
  /** A global of the value's type. */
  readonly global: number;
  /** A function that takes the value and returns it. */
  readonly identity: number;
  /** The type index of that function, which is entry 0 of table 0. */
  readonly identityType: number;
}

/** @param offset bytes from the address to this path's 16 bytes. */
type Path = (place: PathPlace, offset: number) => readonly Instruction[];

const get = (index: number): Instruction => instruction(0x20, index);
const set = (index: number): Instruction => instruction(0x21, index);
const op = instruction;
const END = op(0x0b);

/** The same path for both scalar widths. @param wide whether the value is an f64 */
function scalarPaths(wide: boolean): readonly Path[] {
  const type = wide ? 0x7c : 0x7d;
  const store = (offset: number): Instruction => op(wide ? 0x39 : 0x38, 0, offset);
  const storeBits = (offset: number): Instruction => op(wide ? 0x37 : 0x36, 0, offset);
  const bits = op(wide ? 0xbd : 0xbc);
  const one = wide ? op(0x44, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f) : op(0x43, 0, 0, 0x80, 0x3f);
  const code = (single: number, double: number): Instruction => op(wide ? double : single);
  const through =
    (...more: readonly Instruction[]): Path =>
    ({ compute, address }, offset) => [get(address), ...compute, ...more, store(offset)];
  return [
    through(),
    ({ compute, address }, offset) => [get(address), ...compute, bits, storeBits(offset)],
    ({ compute, address, spare }, offset) => [
      ...compute,
      set(spare),
      get(address),
      get(spare),
      store(offset),
    ],
    ({ compute, address, spare }, offset) => [
      get(address),
      ...compute,
      op(0x22, spare),
      op(0x1a),
      get(spare),
      bits,
      storeBits(offset),
    ],
    ({ compute, address, global }, offset) => [
      ...compute,
      op(0x24, global),
      get(address),
      op(0x23, global),
      store(offset),
    ],
    ({ compute, address, identity }, offset) => [get(address), ...compute, op(0x10, identity), store(offset)],
    ({ compute, address, identityType }, offset) => [
      get(address),
      ...compute,
      op(0x41, 0),
      op(0x11, identityType, 0),
      store(offset),
    ],
    ({ compute, address }, offset) => [
      get(address),
      op(0x02, type),
      ...compute,
      op(0x0c, 0),
      END,
      store(offset),
    ],
    ({ compute, address }, offset) => [
      get(address),
      op(0x02, type),
      ...compute,
      get(address),
      op(0x0d, 0),
      op(0x1a),
      one,
      END,
      store(offset),
    ],
    ({ compute, address }, offset) => [
      get(address),
      op(0x02, type),
      op(0x02, type),
      ...compute,
      op(0x41, 1),
      op(0x0e, 1, 0, 1),
      END,
      END,
      store(offset),
    ],
    ({ compute, address }, offset) => [
      get(address),
      get(address),
      op(0x04, type),
      ...compute,
      op(0x05),
      one,
      END,
      store(offset),
    ],
    ({ compute, address }, offset) => [get(address), ...compute, one, get(address), op(0x1b), store(offset)],
    ({ compute, address }, offset) => [
      get(address),
      one,
      ...compute,
      op(0x41, 0),
      op(0x1c, 1, type),
      store(offset),
    ],
    through(code(0x8b, 0x99)),
    through(code(0x8c, 0x9a)),
    through(one, code(0x98, 0xa6)),
    ({ compute, address }, offset) => [get(address), one, ...compute, code(0x98, 0xa6), store(offset)],
    through(one, code(0x92, 0xa0)),
    through(one, code(0x96, 0xa4), one, code(0x97, 0xa5)),
    through(code(0x91, 0x9f), code(0x8c, 0x9a)),
    wide
      ? ({ compute, address }, offset) => [get(address), ...compute, op(0xb6), op(0x38, 0, offset)]
      : ({ compute, address }, offset) => [get(address), ...compute, op(0xbb), op(0x39, 0, offset)],
    ({ compute, address }, offset) => [
      get(address),
      ...compute,
      op(wide ? 0xfd14 : 0xfd13),
      op(0xfd0b, 0, offset),
    ],
    ({ compute, address }, offset) => [
      get(address),
      op(0xfd0c, ...Array.from({ length: 16 }, () => 0x55)),
      ...compute,
      op(wide ? 0xfd22 : 0xfd20, 1),
      op(0xfd0b, 0, offset),
    ],
    // A loop that carries the value round: twice, then out.
    ({ compute, address, spare }, offset) => [
      ...compute,
      set(spare),
      op(0x03, 0x40),
      get(spare),
      one,
      code(0x94, 0xa2),
      op(0x22, spare),
      bits,
      ...(wide ? [op(0x50)] : [op(0x45)]),
      op(0x0d, 1),
      END,
      get(address),
      get(spare),
      bits,
      storeBits(offset),
    ],
  ];
}

const ALL_ONES = op(0xfd0c, ...Array.from({ length: 16 }, () => 0xff));
const ZEROS = op(0xfd0c, ...Array.from({ length: 16 }, () => 0));
const storeVector = (offset: number): Instruction => op(0xfd0b, 0, offset);

function vectorThrough(...more: readonly Instruction[]): Path {
  return ({ compute, address }, offset) => [get(address), ...compute, ...more, storeVector(offset)];
}

function vectorTo(store: number, ...more: readonly Instruction[]): Path {
  return ({ compute, address }, offset) => [get(address), ...compute, ...more, op(store, 0, offset)];
}

const VECTOR_PATHS: readonly Path[] = [
  vectorThrough(),
  ({ compute, address, spare }, offset) => [
    ...compute,
    set(spare),
    get(address),
    get(spare),
    storeVector(offset),
  ],
  ({ compute, address, global }, offset) => [
    ...compute,
    op(0x24, global),
    get(address),
    op(0x23, global),
    storeVector(offset),
  ],
  ({ compute, address, identity }, offset) => [
    get(address),
    ...compute,
    op(0x10, identity),
    storeVector(offset),
  ],
  ({ compute, address }, offset) => [
    get(address),
    op(0x02, 0x7b),
    ...compute,
    op(0x0c, 0),
    END,
    storeVector(offset),
  ],
  ({ compute, address }, offset) => [
    get(address),
    ...compute,
    ZEROS,
    get(address),
    op(0x1b),
    storeVector(offset),
  ],
  vectorTo(0x36, op(0xfd1b, 0)),
  vectorTo(0x36, op(0xfd1b, 3)),
  vectorTo(0x37, op(0xfd1d, 1)),
  vectorTo(0x38, op(0xfd1f, 2)),
  vectorTo(0x39, op(0xfd21, 0)),
  vectorTo(0x36, op(0xfda4)), // i32x4.bitmask sees signs
  vectorTo(0x36, op(0xfdc4)),
  vectorTo(0x36, op(0xfd64)),
  vectorTo(0x36, op(0xfd53)),
  vectorThrough(ALL_ONES, op(0xfd51)),
  vectorThrough(ZEROS, op(0xfd37)),
  vectorThrough(op(0xfd4d)),
  vectorThrough(op(0xfde1)),
  vectorThrough(op(0xfdec)),
  vectorThrough(op(0xfd60)),
  vectorThrough(op(0x41, 3), op(0xfdac)),
  vectorThrough(ALL_ONES, op(0xfd0d, 0, 17, 2, 19, 4, 5, 6, 7, 24, 9, 10, 11, 12, 13, 14, 15)),
  vectorThrough(ALL_ONES, op(0xfdea)),
  vectorThrough(ALL_ONES, op(0xfdf7)),
  ({ compute, address }, offset) => [get(address), ...compute, op(0xfd5b, 0, offset, 0)],
];

const I32_PATHS: readonly Path[] = [
  ({ compute, address }, offset) => [get(address), ...compute, op(0x36, 0, offset)],
];
const I64_PATHS: readonly Path[] = [
  ({ compute, address }, offset) => [get(address), ...compute, op(0x37, 0, offset)],
];

const PATHS: Readonly<Record<ValueType, readonly Path[]>> = {
  i32: I32_PATHS,
  i64: I64_PATHS,
  f32: scalarPaths(false),
  f64: scalarPaths(true),
  v128: VECTOR_PATHS,
  funcref: [],
  externref: [],
};

/** All ways to look at a value of this type. */
export function pathsOf(type: ValueType): readonly Path[] {
  return PATHS[type];
}
