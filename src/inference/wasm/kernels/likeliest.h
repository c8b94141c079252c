/* The largest output of a product per row, the first among equals, where the others do not matter. */
#pragma once
#include "product.h"

typedef struct {
  i32 score;
  u32 output;
  /* Sums below this belong to lower scores, whatever the output. */
  i32 least;
} Best;

/* What all rows and panels have in common. The matrix has no bias. */
typedef struct {
  const Matrix *matrix;
  const Batch *batch;
  i32 fraction;
  /* Outputs from here on are padding. */
  u32 end;
  /* The least and the largest of the outputs' scales. */
  u32 range[2];
  u8 *room;
} Search;

/* Outputs of panel `at` from their sums with a row. */
INLINE void scores_of(const Search *search, u32 row, u32 at, const v128_t sums[2], v128_t scores[2]) {
  RowScale scale = row_scale(search->batch->scales[row], search->fraction);
  EACH(n, 2) scores[n] = finish4(sums[n], search->matrix, &scale, at * PANEL + 4 * n);
}

INLINE u32 any_reaches(const v128_t values[2], i32 least) {
  v128_t splat = wasm_i32x4_splat(least);
  return wasm_v128_any_true(wasm_v128_or(wasm_i32x4_ge(values[0], splat), wasm_i32x4_ge(values[1], splat)));
}

/*
 * Whether outputs grow with their sums for all of a row: none of the results wraps, which takes shifts of 1 to 31 in
 * apply_scales4.
 */
INLINE u32 is_rising(const Search *search, u32 row) {
  i32 exponent = exponent_of(search->batch->scales[row]);
  i32 most = EXPONENT_BIAS - (exponent + 15 + PLANE_BITS + search->fraction) - 16;
  return most - (i32)(search->range[1] >> 16) - 1 >= 1 && most - (i32)(search->range[0] >> 16) <= 31;
}

/* The least sum that reaches a score above zero with the largest scale, and so with any. */
static i32 least_sum(const Search *search, u32 row, i32 score) {
  if (score <= 0 || !is_rising(search, row)) return INT32_MIN;
  u32 scale = times_power_of_two(multiply_scales(search->batch->scales[row], search->range[1]), PLANE_BITS);
  u32 least = 1, most = INT32_MAX;
  while (least < most) {
    u32 middle = least + (most - least) / 2;
    if (apply_scale((i32)middle, scale, search->fraction) >= score) most = middle;
    else least = middle + 1;
  }
  return (i32)least;
}

/* Takes in the outputs of one panel for one row. A prepared panel in `room` stays. */
static void consider_panel(const Search *search, u32 row, u32 at, Best *best) {
  v128_t sums[1][2], vectors[2];
  i32 scores[PANEL];
  const Batch *batch = search->batch;
  const u8 *values = batch->values + row * batch->pitch;
  u8 *behind = search->room + 2 * GROUP_BYTES * search->matrix->groups;
  prepare_row(search->matrix, values, behind);
  Panel panel = panel_for(search->matrix, at, 1, behind);
  take_tile(search->matrix, &panel, 1, values, batch->pitch, sums);
  scores_of(search, row, at, sums[0], vectors);
  EACH(n, 2) wasm_v128_store(scores + 4 * n, vectors[n]);
  i32 before = best->score;
  for (u32 n = 0; n < PANEL && at * PANEL + n < search->end; n++) {
    u32 output = at * PANEL + n;
    if (scores[n] > best->score || (scores[n] == best->score && output < best->output)) {
      best->score = scores[n];
      best->output = output;
    }
  }
  if (best->score > before) best->least = least_sum(search, row, best->score);
}

/* Takes in a panel for one row if the most that its sums may be reaches the best so far. */
INLINE void compare_sums(const Search *search, u32 row, u32 at, const v128_t sums[2], Best *best) {
  v128_t most[2], bounds[2];
  EACH(n, 2) most[n] = sums[n];
#ifdef RELAXED
  EACH(n, 2) {
    const u32 output = at * PANEL + 4 * n;
    most[n] = wasm_i32x4_add(most[n], wasm_v128_load(search->matrix->rises + output));
    bounds[n] = wasm_i32x4_sub(most[n], wasm_v128_load(search->matrix->offsets + output));
  }
  if (!any_reaches(bounds, best->least)) return;
#else
  if (!any_reaches(most, best->least)) return;
#endif
  scores_of(search, row, at, most, bounds);
  if (any_reaches(bounds, best->score) || !is_rising(search, row)) consider_panel(search, row, at, best);
}

#ifdef RELAXED
/* Panel `at` for all rows. The upper plane alone says of nearly all outputs that they are not the best. */
static void compare_panel(const Search *search, u32 at, Best *best) {
  const Batch *batch = search->batch;
  Panel panel = panel_for(search->matrix, at, 2, search->room);
  u32 rows = batch->count < UPPER_ROWS ? 1 : UPPER_ROWS;
  for (u32 row = 0; row < batch->count; row += rows) {
    v128_t sums[UPPER_ROWS][2];
    /* The last tile takes some rows again. */
    if (row + rows > batch->count) row = batch->count - rows;
    const u8 *values = batch->values + row * batch->pitch;
    if (rows == 1) upper_tile_1(&panel, values, batch->pitch, sums);
    else upper_tile_6(&panel, values, batch->pitch, sums);
    for (u32 r = 0; r < rows; r++) compare_sums(search, row + r, at, sums[r], best + row + r);
  }
}
#else
/* Panel `at` for all rows. */
static void compare_panel(const Search *search, u32 at, Best *best) {
  const Batch *batch = search->batch;
  Panel panel = panel_for(search->matrix, at, batch->count, search->room);
  u32 rows;
  if (batch->count == 1) prepare_row(search->matrix, batch->values, search->room);
  for (u32 row = 0; row < batch->count; row += rows) {
    v128_t sums[WIDEST_TILE][2];
    rows = tile_rows(batch->count - row);
    take_tile(search->matrix, &panel, rows, batch->values + row * batch->pitch, batch->pitch, sums);
    for (u32 r = 0; r < rows; r++) compare_sums(search, row + r, at, sums[r], best + row + r);
  }
}
#endif

/* Finds the best of outputs 0 to `end - 1` of each row. `best` holds guesses: right ones save work. */
static void find_best(const Matrix *matrix, const Batch *batch, i32 fraction, u32 end, Best *best, u8 *room) {
  Search search = {matrix, batch, fraction, end, {matrix->scales[0], matrix->scales[0]}, room};
  for (u32 n = 1; n < end; n++) {
    u32 scale = matrix->scales[n];
    search.range[0] = scale < search.range[0] ? scale : search.range[0];
    search.range[1] = scale > search.range[1] ? scale : search.range[1];
  }
  for (u32 row = 0; row < batch->count; row++) {
    u32 guess = best[row].output;
    best[row].score = INT32_MIN;
    best[row].output = end;
    best[row].least = INT32_MIN;
    consider_panel(&search, row, guess / PANEL, best + row);
  }
  for (u32 at = 0; at < matrix->panels; at++) compare_panel(&search, at, best);
}
