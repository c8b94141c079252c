/**
 * [profile] What instructions cost, in fuel. Fuel is meant to follow time: one fuel is about what one simple integer
 * instruction takes in a compiled loop that has other work beside it, between a throughput of a third and a latency of one
 * cycle. What only names a value (locals, constants) or a place (blocks) costs nothing, because compilers make no
 * instruction of it. Every way round a loop passes a branch, so no loop is free. Measured by bench/kernels/measure-costs.ts;
 * rounded so that common 64-bit processors agree, since every machine must use the same numbers.
 */

type Group = readonly [cost: number, first: number, last: number];

/** One row for all, then groups that differ; `first` and `last` are both included. */
function costTable(common: number, groups: readonly Group[]): Uint8Array {
  const table = new Uint8Array(256).fill(common);
  for (const [cost, first, last] of groups) table.fill(cost, first, last + 1);
  return table;
}

/** Fuel by opcode byte. Instructions with the prefixes 0xfc and 0xfd cost what the tables below say instead. */
export const PLAIN_COST: Uint8Array = costTable(1, [
  [1, 0x00, 0x00], // unreachable
  [0, 0x01, 0x03], // nop, block, loop
  [1, 0x04, 0x04], // if
  [0, 0x05, 0x05], // else
  [0, 0x0b, 0x0b], // end
  [1, 0x0c, 0x0d], // br, br_if
  [3, 0x0e, 0x0e], // br_table
  [1, 0x0f, 0x0f], // return
  [6, 0x10, 0x10], // call
  [10, 0x11, 0x11], // call_indirect
  [6, 0x12, 0x12], // return_call
  [10, 0x13, 0x13], // return_call_indirect
  [0, 0x1a, 0x1a], // drop
  [1, 0x1b, 0x1c], // select
  [0, 0x20, 0x22], // local.get, local.set, local.tee
  [1, 0x23, 0x24], // global.get, global.set
  [3, 0x25, 0x26], // table.get, table.set
  [1, 0x28, 0x35], // loads
  [1, 0x36, 0x3e], // stores
  [2, 0x3f, 0x3f], // memory.size
  [64, 0x40, 0x40], // memory.grow, besides its pages
  [0, 0x41, 0x44], // constants
  [1, 0x45, 0x6c], // comparisons; i32 clz, ctz, popcnt, add, sub, mul
  [8, 0x6d, 0x70], // i32 div and rem
  [1, 0x71, 0x7e], // i32 bitwise; i64 clz, ctz, popcnt, add, sub, mul
  [14, 0x7f, 0x82], // i64 div and rem
  [1, 0x83, 0x8f], // i64 bitwise; f32 abs, neg, ceil, floor, trunc
  [1, 0x90, 0x90], // f32.nearest
  [6, 0x91, 0x91], // f32.sqrt
  [1, 0x92, 0x94], // f32 add, sub, mul
  [5, 0x95, 0x95], // f32.div
  [4, 0x96, 0x97], // f32 min, max
  [1, 0x98, 0x9e], // f32.copysign; f64 abs to nearest
  [8, 0x9f, 0x9f], // f64.sqrt
  [1, 0xa0, 0xa2], // f64 add, sub, mul
  [6, 0xa3, 0xa3], // f64.div
  [4, 0xa4, 0xa5], // f64 min, max
  [1, 0xa6, 0xa7], // f64.copysign, i32.wrap_i64
  [4, 0xa8, 0xab], // i32 truncations
  [1, 0xac, 0xad], // i64 extensions
  [4, 0xae, 0xb1], // i64 truncations
  [2, 0xb2, 0xbb], // conversions, demotion, promotion
  [1, 0xbc, 0xc4], // reinterpretations, sign extensions
  [0, 0xd0, 0xd0], // ref.null
  [1, 0xd1, 0xd1], // ref.is_null
  [1, 0xd2, 0xd2], // ref.func
]);

/** Fuel by sub-opcode after the prefix 0xfd. */
export const VECTOR_COST: Uint8Array = costTable(1, [
  [0, 12, 12], // v128.const
  [2, 14, 14], // swizzle
  [2, 83, 83], // any_true
  [2, 99, 100], // i8x16 all_true, bitmask
  [2, 131, 132], // i16x8 all_true, bitmask
  [2, 163, 164], // i32x4 all_true, bitmask
  [2, 195, 196], // i64x2 all_true, bitmask
  [2, 107, 109], // i8x16 shifts: no instruction of that width exists
  [4, 213, 213], // i64x2.mul
  [6, 227, 227], // f32x4.sqrt
  [5, 231, 231], // f32x4.div
  [3, 232, 233], // f32x4 min, max
  [8, 239, 239], // f64x2.sqrt
  [6, 243, 243], // f64x2.div
  [3, 244, 245], // f64x2 min, max
  [4, 248, 253], // truncations, i32x4 of f32x4 and f64x2; unsigned conversion
]);

/** Fuel of a saturating truncation, 0xfc 0 to 7. */
export const SATURATING_TRUNCATION_COST = 4;

/** Fuel of any bulk instruction (0xfc 8 to 17), besides what it moves. */
export const BULK_COST = 16;

/** Bytes that `memory.fill`, `memory.copy` and `memory.init` move for one fuel, rounded up. */
export const BULK_BYTES_PER_FUEL = 8;

/** Fuel per entry of `table.fill`, `table.copy`, `table.init` and of `table.grow` asked for. */
export const TABLE_ENTRY_COST = 2;

/** Fuel per page that `memory.grow` adds: the machine has to find and clear 64 KiB. */
export const GROWN_PAGE_COST = 8_192;

/** Locals of a called function that one fuel sets to zero; of the locals declared, without its parameters, rounded down. */
export const LOCALS_PER_FUEL = 8;
