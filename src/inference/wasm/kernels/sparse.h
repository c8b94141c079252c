/*
 * Products with rows of which most values are zero, as they are behind a ReLU: only columns whose value is not are looked at.
 * Weights lie by column, times their multipliers, as i16[blocks][columns][BLOCK]: a block of outputs stays in the cache while
 * all rows of a batch take it.
 */
#pragma once
#include "rows.h"

/* Outputs side by side; pairs whose products, 2 * 128 * 63 * 8191 each at most, may be added up in 31 bits. */
enum { BLOCK = 32, MOST_PAIRS = 16 };

typedef struct {
  u32 blocks, columns;
  const u8 *weights;
  const u32 *scales;
  const i32 *bias;
} Columns;

/* Two values of a row, and where their columns begin in a block. */
typedef struct {
  u32 at[2];
  i16 values[2];
} Pair;

/* The values above zero of a row, quantised as all rows are. `size` is in whole groups. */
__attribute__((noinline)) static u32 list_row(const i32 *row, u32 size, Pair *pairs, u32 *count) {
  const v128_t zero = wasm_i32x4_const_splat(0);
  v128_t most = zero;
  for (u32 i = 0; i < size; i += 4) most = wasm_i32x4_max(most, wasm_v128_load(row + i));
  Range range = range_of(largest_lane(most));
  u32 found = 0;
  for (u32 i = 0; range.quotient != 0 && i < size; i += 16) {
    v128_t quantised[4];
    for (u32 n = 0; n < 4; n++)
      quantised[n] = quantise4(wasm_i32x4_max(wasm_v128_load(row + i + 4 * n), zero), range);
    v128_t first = wasm_i16x8_narrow_i32x4(quantised[0], quantised[1]);
    v128_t second = wasm_i16x8_narrow_i32x4(quantised[2], quantised[3]);
    i16 values[16];
    wasm_v128_store(values, first);
    wasm_v128_store(values + 8, second);
    u32 left = wasm_i8x16_bitmask(wasm_i8x16_gt(wasm_i8x16_narrow_i16x8(first, second), zero));
    for (; left != 0; left &= left - 1, found++) {
      u32 at = (u32)__builtin_ctz(left);
      pairs[found >> 1].at[found & 1] = (i + at) * 2 * BLOCK;
      pairs[found >> 1].values[found & 1] = values[at];
    }
  }
  if (found & 1) {
    pairs[found >> 1].at[1] = 0;
    pairs[found >> 1].values[1] = 0;
  }
  *count = (found + 1) >> 1;
  return range.scale;
}

/* Sums of a row with a block, their lowest 7 bits cut off. */
__attribute__((noinline)) static void block_sums(const Pair *pairs, u32 count, const u8 *weights, v128_t out[8]) {
  v128_t low[8];
  for (u32 n = 0; n < 8; n++) out[n] = low[n] = wasm_i32x4_const_splat(0);
  for (u32 start = 0; start < count; start += MOST_PAIRS) {
    v128_t sum[8];
#pragma unroll
    for (u32 n = 0; n < 8; n++) sum[n] = wasm_i32x4_const_splat(0);
    const Pair *end = pairs + (count < start + MOST_PAIRS ? count : start + MOST_PAIRS);
    for (const Pair *pair = pairs + start; pair < end; pair++) {
      const u8 *first = weights + pair->at[0], *second = weights + pair->at[1];
      v128_t value = wasm_v128_load32_splat(pair->values);
#pragma unroll
      for (u32 n = 0; n < 4; n++) {
        v128_t a = wasm_v128_load(first + 16 * n), b = wasm_v128_load(second + 16 * n);
        v128_t left = wasm_i16x8_shuffle(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
        v128_t right = wasm_i16x8_shuffle(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
        sum[2 * n] = wasm_i32x4_add(sum[2 * n], wasm_i32x4_dot_i16x8(left, value));
        sum[2 * n + 1] = wasm_i32x4_add(sum[2 * n + 1], wasm_i32x4_dot_i16x8(right, value));
      }
    }
#pragma unroll
    for (u32 n = 0; n < 8; n++) {
      out[n] = wasm_i32x4_add(out[n], wasm_i32x4_shr(sum[n], PLANE_BITS));
      low[n] = wasm_i32x4_add(low[n], wasm_v128_and(sum[n], wasm_i32x4_const_splat(127)));
    }
  }
  for (u32 n = 0; n < 8; n++) out[n] = wasm_i32x4_add(out[n], wasm_i32x4_shr(low[n], PLANE_BITS));
}

/*
 * Reads a block from its beginning to its end. Columns are asked for here and there, and each wait for memory would be one of
 * its own; in order they come ahead of being asked for.
 */
__attribute__((noinline)) static void touch_block(const u8 *weights, u32 columns) {
  v128_t all = wasm_i32x4_const_splat(0);
  for (u32 i = 0; i < columns * 2 * BLOCK; i += 2 * BLOCK) all = wasm_v128_or(all, wasm_v128_load(weights + i));
  __asm__ volatile("" : : "r"(all));
}

/* Adds the products of `rows` rows, each a list of up to `pitch` pairs, to i32[rows][out_pitch]. */
static void add_sparse(const Columns *matrix, const Pair *pairs, u32 pitch, const u32 *counts, const u32 *scales,
                       u32 rows, i32 fraction, i32 *out, u32 out_pitch) {
  for (u32 block = 0; block < matrix->blocks; block++) {
    const u8 *weights = matrix->weights + block * matrix->columns * 2 * BLOCK;
    touch_block(weights, matrix->columns);
    for (u32 row = 0; row < rows; row++) {
      v128_t sums[8];
      block_sums(pairs + row * pitch, counts[row], weights, sums);
      for (u32 n = 0; n < 8; n++) {
        u32 at = block * BLOCK + 4 * n;
        i32 *target = out + row * out_pitch + at;
        v128_t value = apply_scales4(sums[n], scales[row], matrix->scales + at, PLANE_BITS, fraction);
        value = wasm_i32x4_add(value, wasm_v128_load(matrix->bias + at));
        wasm_v128_store(target, wasm_i32x4_add(value, wasm_v128_load(target)));
      }
    }
  }
}
