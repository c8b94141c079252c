/*
 * Tiles of bytes, for the relaxed dot product: a panel is i8[columns / 4][PANEL][4]. Activations are two planes of 0..127, whose
 * sums the bound of a row keeps in 31 bits; the upper one, to which 64 was added, may wrap: Matrix.offsets takes that away.
 * 4-bit weights: a byte holds two of a group, the one 128 bytes further in its high half; both with sign.
 */
#pragma once

/* Activations of a step of a row: the lower plane's four, then the upper plane's. */
INLINE v128_t lower_of(const u8 *values, u32 k) { return wasm_v128_load32_splat(values + 8 * k); }
INLINE v128_t upper_of(const u8 *values, u32 k) { return wasm_v128_load32_splat(values + 8 * k + 4); }

INLINE void add_products(v128_t sums[2], const v128_t parts[2], const v128_t multipliers[2]) {
  EACH(n, 2) sums[n] = wasm_i32x4_add(sums[n], wasm_i32x4_mul(parts[n], multipliers[n]));
}

INLINE void tile(const u32 rows, const Panel *panel, const u8 *values, u32 pitch, v128_t sums[][2]) {
  const u8 *weights = panel->weights, *multipliers = panel->multipliers;
  Sums all[WIDEST_TILE];
  EACH_ROW(r, WIDEST_TILE, rows) clear_sums(&all[r]);
  for (u32 group = panel->groups; group > 0; group--) {
    v128_t a[WIDEST_TILE][2], b[WIDEST_TILE][2], multiplier[2];
    EACH_ROW(r, WIDEST_TILE, rows) a[r][0] = a[r][1] = b[r][0] = b[r][1] = ZERO;
    EACH(k, GROUP / STEP) {
      v128_t w0 = wasm_v128_load(weights + 32 * k), w1 = wasm_v128_load(weights + 32 * k + 16);
      EACH_ROW(r, WIDEST_TILE, rows) {
        v128_t l = lower_of(values + r * pitch, k);
        a[r][0] = dot(w0, l, a[r][0]);
        a[r][1] = dot(w1, l, a[r][1]);
        v128_t h = upper_of(values + r * pitch, k);
        b[r][0] = dot(w0, h, b[r][0]);
        b[r][1] = dot(w1, h, b[r][1]);
        KEEP(a[r][0]);
        KEEP(a[r][1]);
        KEEP(b[r][0]);
        KEEP(b[r][1]);
      }
    }
    load_multipliers(multipliers, multiplier);
    EACH_ROW(r, WIDEST_TILE, rows) {
      add_products(all[r].low, a[r], multiplier);
      add_products(all[r].high, b[r], multiplier);
    }
    weights += GROUP_BYTES;
    multipliers += PANEL;
    values += ACTIVATION_BYTES;
  }
  EACH_ROW(r, WIDEST_TILE, rows) finish_sums(&all[r], sums[r]);
}

TILE(1)
TILE(2)
TILE(3)

/* One row with 4-bit weights, times 16 as they stand in a byte's high half. */
__attribute__((noinline)) static void tile_1_nibbles(const Panel *panel, const u8 *values, v128_t sums[][2]) {
  const v128_t upper_half = wasm_i8x16_const_splat((i8)0xf0);
  const u32 steps = GROUP / STEP / 2;
  const u8 *weights = panel->weights, *multipliers = panel->multipliers;
  Sums all;
  clear_sums(&all);
  for (u32 group = panel->groups; group > 0; group--) {
    v128_t a[2] = {ZERO, ZERO}, b[2] = {ZERO, ZERO}, multiplier[2];
    EACH(k, steps) {
      v128_t l = lower_of(values, k), h = upper_of(values, k);
      v128_t further_l = lower_of(values, k + steps), further_h = upper_of(values, k + steps);
      EACH(n, 2) {
        v128_t pair = wasm_v128_load(weights + 32 * k + 16 * n);
        v128_t near = wasm_v128_and(wasm_i16x8_shl(pair, 4), upper_half), further = wasm_v128_and(pair, upper_half);
        a[n] = dot(further, further_l, dot(near, l, a[n]));
        b[n] = dot(further, further_h, dot(near, h, b[n]));
        KEEP(a[n]);
        KEEP(b[n]);
      }
    }
    load_multipliers(multipliers, multiplier);
    EACH(n, 2) {
      a[n] = wasm_i32x4_shr(a[n], 4);
      b[n] = wasm_i32x4_shr(b[n], 4);
    }
    add_products(all.low, a, multiplier);
    add_products(all.high, b, multiplier);
    weights += GROUP_BYTES / 2;
    multipliers += PANEL;
    values += ACTIVATION_BYTES;
  }
  finish_sums(&all, sums[0]);
}

/* The upper planes' sums alone, as `high` in the sums above: half of the work where what is below decides nothing. */
enum { UPPER_ROWS = 6 };
INLINE void upper_tile(const u32 rows, const Panel *panel, const u8 *values, u32 pitch, v128_t sums[][2]) {
  const u8 *weights = panel->weights, *multipliers = panel->multipliers;
  v128_t high[UPPER_ROWS][2];
  EACH_ROW(r, UPPER_ROWS, rows) high[r][0] = high[r][1] = ZERO;
  for (u32 group = panel->groups; group > 0; group--) {
    v128_t b[UPPER_ROWS][2], multiplier[2];
    EACH_ROW(r, UPPER_ROWS, rows) b[r][0] = b[r][1] = ZERO;
    EACH(k, GROUP / STEP) {
      v128_t w0 = wasm_v128_load(weights + 32 * k), w1 = wasm_v128_load(weights + 32 * k + 16);
      EACH_ROW(r, UPPER_ROWS, rows) {
        v128_t h = upper_of(values + r * pitch, k);
        b[r][0] = dot(w0, h, b[r][0]);
        b[r][1] = dot(w1, h, b[r][1]);
        KEEP(b[r][0]);
        KEEP(b[r][1]);
      }
    }
    load_multipliers(multipliers, multiplier);
    EACH_ROW(r, UPPER_ROWS, rows) add_products(high[r], b[r], multiplier);
    weights += GROUP_BYTES;
    multipliers += PANEL;
    values += ACTIVATION_BYTES;
  }
  EACH_ROW(r, UPPER_ROWS, rows) EACH(n, 2) sums[r][n] = high[r][n];
}

__attribute__((noinline)) static void upper_tile_1(const Panel *panel, const u8 *values, u32 pitch, v128_t sums[][2]) {
  upper_tile(1, panel, values, pitch, sums);
}
__attribute__((noinline)) static void upper_tile_6(const Panel *panel, const u8 *values, u32 pitch, v128_t sums[][2]) {
  upper_tile(UPPER_ROWS, panel, values, pitch, sums);
}

/* A panel for tiles of many rows: bytes. 8-bit weights serve as they are. */
static const u8 *prepare_panel(const Panel *panel, u32 bits, u8 *room) {
  if (bits == 8) return panel->weights;
  const v128_t mask = wasm_i8x16_const_splat(15), eight = wasm_i8x16_const_splat(8);
  const u8 *from = panel->weights;
  u8 *to = room;
  for (u32 group = panel->groups; group > 0; group--) {
    for (u32 i = 0; i < GROUP_BYTES / 2; i += 16) {
      v128_t pair = wasm_v128_xor(wasm_v128_load(from + i), wasm_i8x16_const_splat((i8)0x88));
      wasm_v128_store(to + i, wasm_i8x16_sub(wasm_v128_and(pair, mask), eight));
      v128_t further = wasm_v128_and(wasm_u16x8_shr(pair, 4), mask);
      wasm_v128_store(to + GROUP_BYTES / 2 + i, wasm_i8x16_sub(further, eight));
    }
    from += GROUP_BYTES / 2;
    to += GROUP_BYTES;
  }
  return room;
}
