/**
 * [profile] What instructions cost, in fuel. Fuel is to follow time: one fuel is about what an integer addition takes
 * where many that do not wait for each other are to be done, a quarter of a cycle. The others stand between how often a
 * processor can begin one and how long it takes when the next one waits for it, nearer to the first. A branch is taken to
 * be mispredicted once in twelve times. What only names a value or a place (locals, constants, blocks) costs nothing, for
 * compilers make no instruction of it; every way round a loop passes a branch, so no loop is free.
 *
 * Measured by bench/kernels/measure-costs.ts, then chosen within what it found such that programs differ least in fuel
 * per nanosecond (bench/metering.bench.ts); rounded, since every machine has to use the same numbers.
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
  [7, 0x04, 0x04], // if
  [0, 0x05, 0x05], // else
  [0, 0x0b, 0x0b], // end
  [2, 0x0c, 0x0c], // br
  [7, 0x0d, 0x0d], // br_if
  [12, 0x0e, 0x0e], // br_table
  [2, 0x0f, 0x0f], // return
  [12, 0x10, 0x10], // call
  [18, 0x11, 0x11], // call_indirect
  [12, 0x12, 0x12], // return_call
  [18, 0x13, 0x13], // return_call_indirect
  [0, 0x1a, 0x1a], // drop
  [2, 0x1b, 0x1c], // select
  [0, 0x20, 0x22], // local.get, local.set, local.tee
  [2, 0x23, 0x24], // global.get, global.set
  [4, 0x25, 0x26], // table.get, table.set
  [2, 0x28, 0x35], // loads
  [1, 0x36, 0x3e], // stores
  [1, 0x3f, 0x3f], // memory.size
  [64, 0x40, 0x40], // memory.grow, besides its pages
  [0, 0x41, 0x44], // constants
  [1, 0x45, 0x5a], // integer comparisons
  [2, 0x5b, 0x66], // float comparisons
  [1, 0x67, 0x6b], // i32 clz, ctz, popcnt, add, sub
  [3, 0x6c, 0x6c], // i32.mul
  [20, 0x6d, 0x70], // i32 div and rem
  [1, 0x71, 0x7d], // i32 bitwise; i64 clz, ctz, popcnt, add, sub
  [3, 0x7e, 0x7e], // i64.mul
  [28, 0x7f, 0x82], // i64 div and rem
  [1, 0x83, 0x8a], // i64 bitwise
  [2, 0x8b, 0x90], // f32 abs, neg, ceil, floor, trunc, nearest
  [14, 0x91, 0x91], // f32.sqrt
  [1, 0x92, 0x94], // f32 add, sub, mul
  [12, 0x95, 0x95], // f32.div
  [6, 0x96, 0x97], // f32 min, max
  [2, 0x98, 0x9e], // f32.copysign; f64 abs, neg, ceil, floor, trunc, nearest
  [20, 0x9f, 0x9f], // f64.sqrt
  [1, 0xa0, 0xa2], // f64 add, sub, mul
  [14, 0xa3, 0xa3], // f64.div
  [6, 0xa4, 0xa5], // f64 min, max
  [2, 0xa6, 0xa6], // f64.copysign
  [1, 0xa7, 0xa7], // i32.wrap_i64
  [6, 0xa8, 0xab], // truncations to i32
  [1, 0xac, 0xad], // i64 extensions
  [6, 0xae, 0xb1], // truncations to i64
  [4, 0xb2, 0xb5], // conversions to f32
  [2, 0xb6, 0xb6], // f32.demote_f64
  [4, 0xb7, 0xba], // conversions to f64
  [2, 0xbb, 0xbf], // f64.promote_f32, reinterpretations
  [1, 0xc0, 0xc4], // sign extensions
  [0, 0xd0, 0xd0], // ref.null
  [1, 0xd1, 0xd2], // ref.is_null, ref.func
]);

/** Fuel by sub-opcode after the prefix 0xfd. What is not named works on integers, lane by lane. */
export const VECTOR_COST: Uint8Array = costTable(1, [
  [2, 0, 10], // loads, splatted and extended ones too
  [1, 11, 11], // v128.store
  [0, 12, 12], // v128.const
  [2, 13, 14], // shuffle, swizzle
  [2, 21, 34], // extract_lane, replace_lane
  [2, 65, 76], // comparisons of f32x4 and f64x2
  [3, 82, 83], // bitselect, any_true
  [3, 84, 91], // loads and stores of a lane
  [2, 92, 93], // loads of one value and zeros
  [2, 94, 95], // demotion, promotion
  [4, 98, 98], // i8x16.popcnt
  [3, 99, 100], // i8x16 all_true, bitmask
  [2, 103, 106], // f32x4 ceil, floor, trunc, nearest
  [8, 107, 109], // i8x16 shifts: no processor has them
  [2, 116, 117], // f64x2 ceil, floor
  [2, 122, 122], // f64x2.trunc
  [2, 124, 127], // pairwise sums
  [4, 130, 130], // i16x8.q15mulr_sat_s
  [3, 131, 132], // i16x8 all_true, bitmask
  [2, 148, 149], // f64x2.nearest, i16x8.mul
  [3, 156, 159], // i16x8 products of halves
  [3, 163, 164], // i32x4 all_true, bitmask
  [2, 181, 181], // i32x4.mul
  [3, 188, 191], // i32x4 products of halves
  [3, 195, 196], // i64x2 all_true, bitmask
  [6, 213, 213], // i64x2.mul
  [3, 220, 223], // i64x2 products of halves
  [14, 227, 227], // f32x4.sqrt
  [12, 231, 231], // f32x4.div
  [8, 232, 233], // f32x4 min, max
  [20, 239, 239], // f64x2.sqrt
  [14, 243, 243], // f64x2.div
  [8, 244, 245], // f64x2 min, max
  [8, 248, 255], // truncations and conversions
]);

/** Fuel of a saturating truncation, 0xfc 0 to 7. */
export const SATURATING_TRUNCATION_COST = 6;

/** Fuel of any bulk instruction (0xfc 8 to 17), besides what it moves. */
export const BULK_COST = 32;

/** Bytes that `memory.fill`, `memory.copy` and `memory.init` move for one fuel, rounded up. */
export const BULK_BYTES_PER_FUEL = 8;

/** Fuel per entry of `table.fill`, `table.copy`, `table.init` and of `table.grow` asked for. */
export const TABLE_ENTRY_COST = 2;

/** Fuel per page that `memory.grow` adds: the machine has to find and clear 64 KiB. */
export const GROWN_PAGE_COST = 8_192;

/** Locals of a called function that one fuel sets to zero; of the locals declared, without its parameters, rounded down. */
export const LOCALS_PER_FUEL = 8;
