/*
 * Matrix products. Weights lie in panels of 8 outputs: per panel and step of columns, the columns of output 0, then of output
 * 1, ... A step is what one dot product takes of an output: 2 columns as i16, or 4 as i8 (relaxed).
 */
#pragma once
#include "tile.h"

typedef struct {
  u32 panels;
  u32 groups;
  /* 8 or 4. */
  u32 bits;
  const u8 *weights;
  /* u8[panels][groups][PANEL]. */
  const u8 *multipliers;
  const u32 *scales;
  /* 64 * sum of multiplier * weight: what the bias of the upper plane adds (relaxed). */
  const i32 *offsets;
  /* Or null. */
  const i32 *bias;
  /* The most that the lower plane adds to a sum (relaxed). */
  const i32 *rises;
  /* The scales as floats. */
  const double *doubles;
  /* u8[panels]: groups whose sums with the largest activations stay in 31 bits. */
  const u8 *spans;
} Matrix;

/* A batch of quantised rows. */
typedef struct {
  const u8 *values;
  const u32 *scales;
  u32 pitch;
  u32 count;
} Batch;

static Panel stored_panel(const Matrix *matrix, u32 panel) {
  u32 groups = matrix->groups;
  Panel stored = {matrix->weights + panel * groups * (GROUP_BYTES * matrix->bits / 8),
                  matrix->multipliers + panel * groups * PANEL, groups, matrix->spans[panel], 0};
  return stored;
}

/* What a single row needs beside its values: `room` is as for panel_for, which gives it on. */
INLINE void prepare_row(const Matrix *matrix, const u8 *values, u8 *room) {
#ifndef RELAXED
  if (matrix->bits == 4) list_eights(values, matrix->groups, (i32 *)room);
#else
  (void)matrix, (void)values, (void)room;
#endif
}

/* A panel as the tiles of some rows take it. `room` is space for its weights in 16 bits. */
INLINE Panel panel_for(const Matrix *matrix, u32 panel, u32 rows, u8 *room) {
  Panel stored = stored_panel(matrix, panel);
  if (rows > 1) stored.weights = prepare_panel(&stored, matrix->bits, room);
  else stored.eights = (const i32 *)room;
  return stored;
}

/* The scale of a row, and what it is for its sums, which are of whole upper planes, as a float. */
typedef struct {
  u32 scale;
  i32 fraction;
  double unit;
} RowScale;

INLINE RowScale row_scale(u32 scale, i32 fraction) {
  RowScale row = {scale, fraction, double_of(scale) * (double)(1u << (PLANE_BITS + fraction))};
  return row;
}

/* Four sums of a panel, from output `n` on, as what they stand for. */
INLINE v128_t finish4(v128_t sums, const Matrix *matrix, const RowScale *row, u32 n) {
#ifdef RELAXED
  sums = wasm_i32x4_sub(sums, wasm_v128_load(matrix->offsets + n));
#endif
  v128_t unit = wasm_f64x2_splat(row->unit), values;
  v128_t scales[2] = {multiply_doubles2(unit, matrix->doubles + n), multiply_doubles2(unit, matrix->doubles + n + 2)};
  v128_t largest = wasm_f64x2_max(scales[0], scales[1]);
  if (__builtin_expect(wasm_i64x2_all_true(wasm_f64x2_lt(largest, wasm_f64x2_const_splat(0.5))), 1))
    values = apply_doubles4(sums, scales);
  else values = apply_scales4(sums, row->scale, matrix->scales + n, PLANE_BITS, row->fraction);
  return matrix->bias ? wasm_i32x4_add(values, wasm_v128_load(matrix->bias + n)) : values;
}

/* How many of `left` rows the next tile takes. None of one row at the end: it would load the weights for as little. */
INLINE u32 tile_rows(u32 left) { return left == WIDEST_TILE + 1 ? WIDEST_TILE - 1 : left < WIDEST_TILE ? left : WIDEST_TILE; }

/* Sums of `rows` rows with a panel for a batch of `count`. */
INLINE void take_tile(const Matrix *matrix, const Panel *panel, u32 rows, const u8 *values, u32 pitch, v128_t sums[][2]) {
  if (rows == 1 && matrix->bits == 4) tile_1_nibbles(panel, values, sums);
  else if (rows == 1) tile_1(panel, values, pitch, sums);
  else if (rows == 2) tile_2(panel, values, pitch, sums);
  else if (rows == 3) tile_3(panel, values, pitch, sums);
#if WIDEST_TILE > 3
  else tile_4(panel, values, pitch, sums);
#endif
}

/*
 * Panels `from` to `to - 1` of a matrix times a batch, in fixed point with `fraction` bits, stored or added into
 * i32[count][out_pitch]. `room` is space for a panel of 16-bit words.
 */
static void multiply(const Matrix *matrix, const Batch *batch, u32 from, u32 to, i32 fraction, i32 *out, u32 out_pitch,
                     u32 is_added, u8 *room) {
  if (batch->count == 1) prepare_row(matrix, batch->values, room);
  for (u32 at = from; at < to; at++) {
    Panel panel = panel_for(matrix, at, batch->count, room);
    for (u32 row = 0; row < batch->count;) {
      v128_t sums[WIDEST_TILE][2];
      u32 rows = tile_rows(batch->count - row);
      take_tile(matrix, &panel, rows, batch->values + row * batch->pitch, batch->pitch, sums);
      for (u32 r = 0; r < rows; r++) {
        i32 *target = out + (row + r) * out_pitch + at * PANEL;
        RowScale scale = row_scale(batch->scales[row + r], fraction);
        for (u32 n = 0; n < 2; n++) {
          v128_t values = finish4(sums[r][n], matrix, &scale, at * PANEL + 4 * n);
          if (is_added) values = wasm_i32x4_add(values, wasm_v128_load(target + 4 * n));
          wasm_v128_store(target + 4 * n, values);
        }
      }
      row += rows;
    }
  }
}
