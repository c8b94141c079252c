import { NAN } from "../decode/opcodes.ts";

/** What an instruction does with the bits of a NaN among its operands. */
export const USE = {
  /** They can be seen afterwards: in memory, in an integer, in another function. What is not listed is taken for this. */
  observe: 0,
  /** Any NaN is the same to it. */
  free: 1,
  /** It returns its operand with another sign. */
  pass: 2,
  /** It returns its first operand with the sign of its second. */
  copySign: 3,
  /** It returns one of its operands. */
  select: 4,
  /** Any NaN is the same to it in lanes of 32 bits, */
  free32: 5,
  /** or of 64 bits. */
  free64: 6,
  pass32: 7,
  pass64: 8,
} as const;

function useTable(groups: readonly (readonly [use: number, first: number, last: number])[]): Uint8Array {
  const table = new Uint8Array(256);
  for (const [use, first, last] of groups) table.fill(use, first, last + 1);
  return table;
}

export const PLAIN_USE: Uint8Array = useTable([
  [USE.free, 0x1a, 0x1a], // drop
  [USE.select, 0x1b, 0x1c],
  [USE.free, 0x21, 0x22], // local.set and local.tee, which are looked at apart
  [USE.free, 0x5b, 0x66], // comparisons
  [USE.pass, 0x8b, 0x8c], // f32 abs, neg
  [USE.free, 0x8d, 0x97],
  [USE.copySign, 0x98, 0x98],
  [USE.pass, 0x99, 0x9a], // f64 abs, neg
  [USE.free, 0x9b, 0xa5],
  [USE.copySign, 0xa6, 0xa6],
  [USE.free, 0xa8, 0xab], // truncations
  [USE.free, 0xae, 0xb1],
  [USE.free, 0xb6, 0xb6], // demotion, promotion
  [USE.free, 0xbb, 0xbb],
]);

export const VECTOR_USE: Uint8Array = useTable([
  [USE.free32, 65, 70], // comparisons
  [USE.free64, 71, 76],
  [USE.free64, 94, 94], // demotion, promotion
  [USE.free32, 95, 95],
  [USE.free32, 103, 106],
  [USE.free64, 116, 117],
  [USE.free64, 122, 122],
  [USE.free64, 148, 148],
  [USE.pass32, 224, 225], // abs, neg
  [USE.free32, 227, 233],
  [USE.pass64, 236, 237],
  [USE.free64, 239, 245],
  [USE.free32, 248, 249], // truncations
  [USE.free64, 252, 253],
]);

/** Instructions whose float result is never a NaN: conversions of integers. */
export const PLAIN_NUMBER: Uint8Array = useTable([
  [1, 0xb2, 0xb5],
  [1, 0xb7, 0xba],
]);

/** The shape that a vector instruction of this use reads. */
export function shapeOf(use: number): number {
  if (use === USE.free32 || use === USE.pass32) return NAN.f32x4;
  return use === USE.free64 || use === USE.pass64 ? NAN.f64x2 : NAN.none;
}
