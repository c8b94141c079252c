/*
 * Matrix products. Weights lie in panels of 8 outputs, so that a lane of a vector is one output and nothing is added up
 * across lanes: per panel and step of columns, the columns of output 0, then of output 1, ... A step is what one dot product
 * takes of an output: 2 columns as i16, or 4 as i8 (relaxed).
 */
#pragma once
#include "numbers.h"

enum { PANEL = 8, GROUP_BYTES = PANEL * GROUP, ACTIVATION_BYTES = 2 * GROUP };

typedef struct {
  u32 panels;
  u32 groups;
  /* 8, or 4: then a byte holds value + 8 of two weights, the one that is GROUP_BYTES / 2 further in its high half. */
  u32 bits;
  const u8 *weights;
  /* u8[panels][groups][PANEL]. */
  const u8 *multipliers;
  const u32 *scales;
  /* 64 * sum of multiplier * weight: what the bias of the upper plane adds (relaxed). */
  const i32 *offsets;
  /* Or null. */
  const i32 *bias;
} Matrix;

/* A batch of quantised rows. */
typedef struct {
  const u8 *values;
  const u32 *scales;
  u32 pitch;
  u32 count;
} Batch;

#ifdef RELAXED
#define STEP 4
#define WIDEST_TILE 3
/* Becomes the instruction i32x4.relaxed_dot_i8x16_i7x16_add_s when the module is built: this compiler has no name for it. */
__attribute__((import_module("instruction"), import_name("dot"), const)) v128_t dot(v128_t i8s, v128_t i7s, v128_t sum);
#else
#define STEP 2
#define WIDEST_TILE 4
#endif

/*
 * Nothing moves over this: without it the compiler takes one sum after the other through all steps, and a hundred values
 * that were loaded once wait in memory for theirs.
 */
#define KEEP(value) __asm__ volatile("" : "+r"(value) : : "memory")

/* Multipliers of a panel's outputs for one group. */
INLINE void load_multipliers(const u8 *at, v128_t out[2]) {
  v128_t wide = wasm_u16x8_load8x8(at);
  out[0] = wasm_u32x4_extend_low_u16x8(wide);
  out[1] = wasm_u32x4_extend_high_u16x8(wide);
}

/*
 * Sums of `rows` rows of the batch with one panel, their lowest 7 bits cut off: high + (low >> 7).
 * i16: a lane's sum over a group is at most 32 * 128 * 8191, times 63 below 2^31; its bits 0 to 6 are added up apart.
 * Relaxed: two planes of 0..127, whose sums the converter's bound of a row keeps in 31 bits; the upper one may wrap.
 */
INLINE void tile(const u32 rows, const u8 *weights, const u8 *multipliers, u32 groups, const u8 *values, u32 pitch,
                 v128_t sums[][2]) {
  v128_t high[WIDEST_TILE][2], low[WIDEST_TILE][2];
  const v128_t zero = wasm_i32x4_const_splat(0);
#pragma unroll
  for (u32 r = 0; r < rows; r++) high[r][0] = high[r][1] = low[r][0] = low[r][1] = zero;
  for (u32 group = 0; group < groups; group++) {
    v128_t multiplier[2];
#ifdef RELAXED
    v128_t a[WIDEST_TILE][2], b[WIDEST_TILE][2];
#pragma unroll
    for (u32 r = 0; r < rows; r++) a[r][0] = a[r][1] = b[r][0] = b[r][1] = zero;
#pragma unroll
    for (u32 k = 0; k < GROUP / STEP; k++) {
      v128_t w0 = wasm_v128_load(weights + 32 * k), w1 = wasm_v128_load(weights + 32 * k + 16);
#pragma unroll
      for (u32 r = 0; r < rows; r++) {
        v128_t l = wasm_v128_load32_splat(values + r * pitch + 8 * k);
        a[r][0] = dot(w0, l, a[r][0]);
        a[r][1] = dot(w1, l, a[r][1]);
        v128_t h = wasm_v128_load32_splat(values + r * pitch + 8 * k + 4);
        b[r][0] = dot(w0, h, b[r][0]);
        b[r][1] = dot(w1, h, b[r][1]);
        KEEP(a[r][0]);
        KEEP(a[r][1]);
        KEEP(b[r][0]);
        KEEP(b[r][1]);
      }
    }
    load_multipliers(multipliers, multiplier);
#pragma unroll
    for (u32 r = 0; r < rows; r++)
      for (u32 n = 0; n < 2; n++) {
        low[r][n] = wasm_i32x4_add(low[r][n], wasm_i32x4_mul(a[r][n], multiplier[n]));
        high[r][n] = wasm_i32x4_add(high[r][n], wasm_i32x4_mul(b[r][n], multiplier[n]));
      }
#else
    v128_t part[WIDEST_TILE][2];
#pragma unroll
    for (u32 r = 0; r < rows; r++) part[r][0] = part[r][1] = zero;
#pragma unroll
    for (u32 k = 0; k < GROUP / STEP; k++) {
      v128_t w0 = wasm_i16x8_load8x8(weights + 16 * k), w1 = wasm_i16x8_load8x8(weights + 16 * k + 8);
#pragma unroll
      for (u32 r = 0; r < rows; r++) {
        v128_t q = wasm_v128_load32_splat(values + r * pitch + 4 * k);
        part[r][0] = wasm_i32x4_add(part[r][0], wasm_i32x4_dot_i16x8(w0, q));
        part[r][1] = wasm_i32x4_add(part[r][1], wasm_i32x4_dot_i16x8(w1, q));
        KEEP(part[r][0]);
        KEEP(part[r][1]);
      }
    }
    load_multipliers(multipliers, multiplier);
#pragma unroll
    for (u32 r = 0; r < rows; r++)
      for (u32 n = 0; n < 2; n++) {
        v128_t sum = wasm_i32x4_mul(part[r][n], multiplier[n]);
        high[r][n] = wasm_i32x4_add(high[r][n], wasm_i32x4_shr(sum, PLANE_BITS));
        low[r][n] = wasm_i32x4_add(low[r][n], wasm_v128_and(sum, wasm_i32x4_const_splat(127)));
      }
#endif
    weights += GROUP_BYTES;
    multipliers += PANEL;
    values += ACTIVATION_BYTES;
  }
#pragma unroll
  for (u32 r = 0; r < rows; r++)
    for (u32 n = 0; n < 2; n++) sums[r][n] = wasm_i32x4_add(high[r][n], wasm_i32x4_shr(low[r][n], PLANE_BITS));
}

#define TILE(rows)                                                                                              \
  __attribute__((noinline)) static void tile_##rows(const u8 *weights, const u8 *multipliers, u32 groups,        \
                                                    const u8 *values, u32 pitch, v128_t sums[][2]) {             \
    tile(rows, weights, multipliers, groups, values, pitch, sums);                                               \
  }
TILE(1)
TILE(2)
TILE(3)
#if WIDEST_TILE > 3
TILE(4)
#endif

/* 4-bit weights of a panel as bytes. */
static void unpack_panel(const u8 *from, u32 groups, u8 *to) {
  const v128_t mask = wasm_i8x16_const_splat(15), eight = wasm_i8x16_const_splat(8);
  for (u32 group = 0; group < groups; group++) {
    for (u32 i = 0; i < GROUP_BYTES / 2; i += 16) {
      v128_t pair = wasm_v128_load(from + i);
      wasm_v128_store(to + i, wasm_i8x16_sub(wasm_v128_and(pair, mask), eight));
      v128_t upper = wasm_v128_and(wasm_u16x8_shr(pair, 4), mask);
      wasm_v128_store(to + GROUP_BYTES / 2 + i, wasm_i8x16_sub(upper, eight));
    }
    from += GROUP_BYTES / 2;
    to += GROUP_BYTES;
  }
}

/* Four sums of a panel, from output `n` on, as what they stand for. */
INLINE v128_t finish4(v128_t sums, const Matrix *matrix, u32 scale, u32 n, i32 fraction) {
#ifdef RELAXED
  sums = wasm_i32x4_sub(sums, wasm_v128_load(matrix->offsets + n));
#endif
  v128_t values = apply_scales4(sums, scale, matrix->scales + n, PLANE_BITS, fraction);
  return matrix->bias ? wasm_i32x4_add(values, wasm_v128_load(matrix->bias + n)) : values;
}

/*
 * Panels `from` to `to - 1` of a matrix times a batch, in fixed point with `fraction` bits, stored or added into
 * i32[count][out_pitch]. `room` is space for a panel of bytes.
 */
static void multiply(const Matrix *matrix, const Batch *batch, u32 from, u32 to, i32 fraction, i32 *out, u32 out_pitch,
                     u32 is_added, u8 *room) {
  u32 groups = matrix->groups;
  for (u32 panel = from; panel < to; panel++) {
    const u8 *weights = matrix->weights + panel * groups * (GROUP_BYTES * matrix->bits / 8);
    const u8 *multipliers = matrix->multipliers + panel * groups * PANEL;
    if (matrix->bits == 4) {
      unpack_panel(weights, groups, room);
      weights = room;
    }
    for (u32 row = 0; row < batch->count;) {
      v128_t sums[WIDEST_TILE][2];
      const u8 *values = batch->values + row * batch->pitch;
      u32 rows = batch->count - row;
      /* No tile of one row at the end: it would load the weights for as little. */
      if (rows == WIDEST_TILE + 1) rows = WIDEST_TILE - 1;
      else if (rows > WIDEST_TILE) rows = WIDEST_TILE;
      if (rows == 1) tile_1(weights, multipliers, groups, values, batch->pitch, sums);
      else if (rows == 2) tile_2(weights, multipliers, groups, values, batch->pitch, sums);
      else if (rows == 3) tile_3(weights, multipliers, groups, values, batch->pitch, sums);
#if WIDEST_TILE > 3
      else tile_4(weights, multipliers, groups, values, batch->pitch, sums);
#endif
      for (u32 r = 0; r < rows; r++) {
        i32 *target = out + (row + r) * out_pitch + panel * PANEL;
        u32 scale = batch->scales[row + r];
        for (u32 n = 0; n < 2; n++) {
          v128_t values = finish4(sums[r][n], matrix, scale, panel * PANEL + 4 * n, fraction);
          if (is_added) values = wasm_i32x4_add(values, wasm_v128_load(target + 4 * n));
          wasm_v128_store(target + 4 * n, values);
        }
      }
      row += rows;
    }
  }
}
