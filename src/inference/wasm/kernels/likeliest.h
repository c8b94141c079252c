/* The largest output of a product per row, the first among equals, where the others do not matter. */
#pragma once
#include "product.h"

typedef struct {
  i32 score;
  u32 output;
} Best;

/* Takes in the outputs of one panel for one row. Outputs from `end` on are padding. A prepared panel in `room` stays. */
static void consider_panel(const Matrix *matrix, const Batch *batch, u32 row, u32 at, i32 fraction, u32 end,
                           Best *best, u8 *room) {
  v128_t sums[1][2];
  i32 scores[PANEL];
  const u8 *values = batch->values + row * batch->pitch;
  u8 *behind = room + 2 * GROUP_BYTES * matrix->groups;
  prepare_row(matrix, values, behind);
  Panel panel = panel_for(matrix, at, 1, behind);
  take_tile(matrix, &panel, 1, values, batch->pitch, sums);
  EACH(n, 2)
    wasm_v128_store(scores + 4 * n, finish4(sums[0][n], matrix, batch->scales[row], at * PANEL + 4 * n, fraction));
  for (u32 n = 0; n < PANEL && at * PANEL + n < end; n++) {
    u32 output = at * PANEL + n;
    if (scores[n] > best->score || (scores[n] == best->score && output < best->output)) {
      best->score = scores[n];
      best->output = output;
    }
  }
}

INLINE u32 any_reaches(const v128_t scores[2], i32 least) {
  v128_t splat = wasm_i32x4_splat(least);
  return wasm_v128_any_true(wasm_v128_or(wasm_i32x4_ge(scores[0], splat), wasm_i32x4_ge(scores[1], splat)));
}

#ifdef RELAXED
/*
 * Whether apply_scales4 grows with its number for all outputs: none of the results wraps, which takes shifts of 1 to 31. `range`
 * is the least and the largest exponent of the outputs' scales.
 */
INLINE u32 is_rising(u32 scale, const u32 range[2], i32 fraction) {
  i32 most = EXPONENT_BIAS - (exponent_of(scale) + 15 + PLANE_BITS + fraction) - 16;
  return most - (i32)range[1] - 1 >= 1 && most - (i32)range[0] <= 31;
}

static void exponent_range(const u32 *scales, u32 end, u32 range[2]) {
  range[0] = 0xffff;
  range[1] = 0;
  for (u32 n = 0; n < end; n++) {
    u32 exponent = scales[n] >> 16;
    range[0] = exponent < range[0] ? exponent : range[0];
    range[1] = exponent > range[1] ? exponent : range[1];
  }
}

/* The most that four outputs may be, from what the upper plane gives. */
INLINE v128_t bound4(v128_t sums, const Matrix *matrix, u32 scale, u32 n, i32 fraction) {
  return finish4(wasm_i32x4_add(sums, wasm_v128_load(matrix->rises + n)), matrix, scale, n, fraction);
}

/* Panel `at` for all rows: exactly where its bound reaches the best so far. */
static void compare_panel(const Matrix *matrix, const Batch *batch, u32 at, i32 fraction, u32 end, const u32 range[2],
                          Best *best, u8 *room) {
  Panel panel = panel_for(matrix, at, 2, room);
  u32 rows = batch->count < UPPER_ROWS ? 1 : UPPER_ROWS;
  for (u32 row = 0; row < batch->count; row += rows) {
    v128_t sums[UPPER_ROWS][2];
    /* The last tile takes some rows again. */
    if (row + rows > batch->count) row = batch->count - rows;
    const u8 *values = batch->values + row * batch->pitch;
    if (rows == 1) upper_tile_1(&panel, values, batch->pitch, sums);
    else upper_tile_6(&panel, values, batch->pitch, sums);
    for (u32 r = row; r < row + rows; r++) {
      u32 scale = batch->scales[r];
      v128_t bounds[2];
      EACH(n, 2) bounds[n] = bound4(sums[r - row][n], matrix, scale, at * PANEL + 4 * n, fraction);
      if (any_reaches(bounds, best[r].score) || !is_rising(scale, range, fraction))
        consider_panel(matrix, batch, r, at, fraction, end, best + r, room);
    }
  }
}
#else
/* Panel `at` for all rows. */
static void compare_panel(const Matrix *matrix, const Batch *batch, u32 at, i32 fraction, u32 end, const u32 range[2],
                          Best *best, u8 *room) {
  (void)range;
  Panel panel = panel_for(matrix, at, batch->count, room);
  u32 rows;
  for (u32 row = 0; row < batch->count; row += rows) {
    v128_t sums[WIDEST_TILE][2];
    rows = tile_rows(batch->count - row);
    take_tile(matrix, &panel, rows, batch->values + row * batch->pitch, batch->pitch, sums);
    for (u32 r = 0; r < rows; r++) {
      v128_t scores[2];
      EACH(n, 2)
        scores[n] = finish4(sums[r][n], matrix, batch->scales[row + r], at * PANEL + 4 * n, fraction);
      if (any_reaches(scores, best[row + r].score))
        consider_panel(matrix, batch, row + r, at, fraction, end, best + row + r, room);
    }
  }
}
#endif

/*
 * Finds the best of outputs 0 to `end - 1` of each row. `best` holds guesses: right ones save work. The matrix has no bias.
 * Relaxed: the upper plane alone says of nearly all outputs that they are not the best.
 */
static void find_best(const Matrix *matrix, const Batch *batch, i32 fraction, u32 end, Best *best, u8 *room) {
  u32 range[2] = {0, 0};
#ifdef RELAXED
  exponent_range(matrix->scales, end, range);
#endif
  for (u32 row = 0; row < batch->count; row++) {
    u32 guess = best[row].output;
    best[row].score = INT32_MIN;
    best[row].output = end;
    consider_panel(matrix, batch, row, guess / PANEL, fraction, end, best + row, room);
  }
  for (u32 at = 0; at < matrix->panels; at++) compare_panel(matrix, batch, at, fraction, end, range, best, room);
}
