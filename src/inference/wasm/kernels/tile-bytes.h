/*
 * Tiles of bytes, for the relaxed dot product: a panel is i8[columns / 4][PANEL][4]. Activations are two planes of 0..127, whose
 * sums the bound of a row keeps in 31 bits; the upper one, to which 64 was added, may wrap: Matrix.offsets takes that away.
 * 4-bit weights: a byte holds two of a group, the one 128 bytes further in its high half; both with sign.
 */
#pragma once

/* One step of a row: the lower plane's four activations, then the upper plane's. */
#define STEP_OF(values, r, k) ((values) + (r) * pitch + 8 * (k))

INLINE void tile(const u32 rows, const u8 *weights, const u8 *multipliers, u32 groups, const u8 *values, u32 pitch,
                 v128_t sums[][2]) {
  Sums all[WIDEST_TILE];
  EACH(r, rows) clear_sums(&all[r]);
  for (u32 group = 0; group < groups; group++) {
    v128_t a[WIDEST_TILE][2], b[WIDEST_TILE][2], multiplier[2];
    EACH(r, rows) a[r][0] = a[r][1] = b[r][0] = b[r][1] = ZERO;
    EACH(k, GROUP / STEP) {
      v128_t w0 = wasm_v128_load(weights + 32 * k), w1 = wasm_v128_load(weights + 32 * k + 16);
      EACH(r, rows) {
        v128_t l = wasm_v128_load32_splat(STEP_OF(values, r, k));
        a[r][0] = dot(w0, l, a[r][0]);
        a[r][1] = dot(w1, l, a[r][1]);
        v128_t h = wasm_v128_load32_splat(STEP_OF(values, r, k) + 4);
        b[r][0] = dot(w0, h, b[r][0]);
        b[r][1] = dot(w1, h, b[r][1]);
        KEEP(a[r][0]);
        KEEP(a[r][1]);
        KEEP(b[r][0]);
        KEEP(b[r][1]);
      }
    }
    load_multipliers(multipliers, multiplier);
    EACH(r, rows) EACH(n, 2) {
      all[r].low[n] = wasm_i32x4_add(all[r].low[n], wasm_i32x4_mul(a[r][n], multiplier[n]));
      all[r].high[n] = wasm_i32x4_add(all[r].high[n], wasm_i32x4_mul(b[r][n], multiplier[n]));
    }
    weights += GROUP_BYTES;
    multipliers += PANEL;
    values += ACTIVATION_BYTES;
  }
  EACH(r, rows) finish_sums(&all[r], sums[r]);
}

#define TILE(rows)                                                                                              \
  __attribute__((noinline)) static void tile_##rows(const u8 *weights, const u8 *multipliers, u32 groups,        \
                                                    const u8 *values, u32 pitch, v128_t sums[][2]) {             \
    tile(rows, weights, multipliers, groups, values, pitch, sums);                                               \
  }
TILE(1)
TILE(2)
TILE(3)

/* One row with 4-bit weights, times 16 as they stand in a byte's high half. */
__attribute__((noinline)) static void tile_1_nibbles(const u8 *weights, const u8 *multipliers, u32 groups,
                                                     const u8 *values, v128_t sums[][2]) {
  const v128_t upper_half = wasm_i8x16_const_splat((i8)0xf0);
  const u32 pitch = 0, steps = GROUP / STEP / 2;
  Sums all;
  clear_sums(&all);
  for (u32 group = 0; group < groups; group++) {
    v128_t a[2] = {ZERO, ZERO}, b[2] = {ZERO, ZERO}, multiplier[2];
    EACH(k, steps) {
      v128_t l = wasm_v128_load32_splat(STEP_OF(values, 0, k)), h = wasm_v128_load32_splat(STEP_OF(values, 0, k) + 4);
      v128_t further_l = wasm_v128_load32_splat(STEP_OF(values, 0, k + steps));
      v128_t further_h = wasm_v128_load32_splat(STEP_OF(values, 0, k + steps) + 4);
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
      all.low[n] = wasm_i32x4_add(all.low[n], wasm_i32x4_mul(wasm_i32x4_shr(a[n], 4), multiplier[n]));
      all.high[n] = wasm_i32x4_add(all.high[n], wasm_i32x4_mul(wasm_i32x4_shr(b[n], 4), multiplier[n]));
    }
    weights += GROUP_BYTES / 2;
    multipliers += PANEL;
    values += ACTIVATION_BYTES;
  }
  finish_sums(&all, sums[0]);
}

/* The upper planes' sums alone, as `high` in the sums above: half of the work where what is below does not matter. */
enum { UPPER_ROWS = 6 };
INLINE void upper_tile(const u32 rows, const u8 *weights, const u8 *multipliers, u32 groups, const u8 *values, u32 pitch,
                       v128_t sums[][2]) {
  EACH(r, rows) sums[r][0] = sums[r][1] = ZERO;
  for (u32 group = 0; group < groups; group++) {
    v128_t b[UPPER_ROWS][2], multiplier[2];
    EACH(r, rows) b[r][0] = b[r][1] = ZERO;
    EACH(k, GROUP / STEP) {
      v128_t w0 = wasm_v128_load(weights + 32 * k), w1 = wasm_v128_load(weights + 32 * k + 16);
      EACH(r, rows) {
        v128_t h = wasm_v128_load32_splat(STEP_OF(values, r, k) + 4);
        b[r][0] = dot(w0, h, b[r][0]);
        b[r][1] = dot(w1, h, b[r][1]);
        KEEP(b[r][0]);
        KEEP(b[r][1]);
      }
    }
    load_multipliers(multipliers, multiplier);
    EACH(r, rows) EACH(n, 2)
      sums[r][n] = wasm_i32x4_add(sums[r][n], wasm_i32x4_mul(b[r][n], multiplier[n]));
    weights += GROUP_BYTES;
    multipliers += PANEL;
    values += ACTIVATION_BYTES;
  }
}

__attribute__((noinline)) static void upper_tile_1(const u8 *weights, const u8 *multipliers, u32 groups, const u8 *values,
                                                   u32 pitch, v128_t sums[][2]) {
  upper_tile(1, weights, multipliers, groups, values, pitch, sums);
}
__attribute__((noinline)) static void upper_tile_6(const u8 *weights, const u8 *multipliers, u32 groups, const u8 *values,
                                                   u32 pitch, v128_t sums[][2]) {
  upper_tile(UPPER_ROWS, weights, multipliers, groups, values, pitch, sums);
}

/* A panel for tiles of many rows: bytes. 8-bit weights serve as they are. */
static const u8 *prepare_panel(const u8 *from, u32 bits, const u8 *multipliers, u32 groups, u8 *room) {
  (void)multipliers;
  if (bits == 8) return from;
  const v128_t mask = wasm_i8x16_const_splat(15), eight = wasm_i8x16_const_splat(8);
  u8 *to = room;
  for (u32 group = 0; group < groups; group++) {
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
