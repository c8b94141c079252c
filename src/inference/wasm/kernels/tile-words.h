/*
 * Tiles of 16-bit words, for SIMD of fixed width: a panel is i8[columns / 2][PANEL][2], and the activations are i16.
 * A lane's sum over a group, times its multiplier, is at most 32 * 128 * 8191 * 63 < 2^31. For many rows the weights are
 * multiplied beforehand, i16[columns / 2][PANEL][2], and added up over as many groups as the panel's weights leave room for.
 * 4-bit weights: a word holds those of four vectors of two columns and 4 outputs, the first in its lowest bits; plus 8, and the
 * highest with sign.
 */
#pragma once

INLINE v128_t weights_at(const u32 bits, const u8 *weights, u32 k, u32 n) {
  if (bits == 8) return wasm_i16x8_load8x8(weights + 16 * k + 8 * n);
  v128_t words = wasm_v128_xor(wasm_v128_load(weights + 16 * (k / 2)), wasm_i16x8_const_splat(0x0888));
  return wasm_i16x8_shr(wasm_i16x8_shl(words, 12 - 4 * (2 * (k % 2) + n)), 12);
}

/* One row, weights as they are stored. */
__attribute__((noinline)) static void tile_1(const Panel *panel, const u8 *values, u32 pitch, v128_t sums[][2]) {
  (void)pitch;
  const u8 *weights = panel->weights, *multipliers = panel->multipliers;
  Sums all;
  clear_sums(&all);
  for (u32 group = panel->groups; group > 0; group--) {
    v128_t part[2] = {ZERO, ZERO}, multiplier[2];
    EACH(k, GROUP / STEP) {
      v128_t q = wasm_v128_load32_splat(values + 4 * k);
      EACH(n, 2) {
        part[n] = dot(weights_at(8, weights, k, n), q, part[n]);
        KEEP(part[n]);
      }
    }
    load_multipliers(multipliers, multiplier);
    EACH(n, 2) add_part(&all, n, wasm_i32x4_mul(part[n], multiplier[n]));
    weights += GROUP_BYTES;
    multipliers += PANEL;
    values += ACTIVATION_BYTES;
  }
  finish_sums(&all, sums[0]);
}

/* 8 times the sums of a row's values, per group: of every other pair of columns from the first on, and of all. */
static void list_eights(const u8 *values, u32 groups, i32 *out) {
  for (; groups > 0; groups--) {
    v128_t sum = ZERO;
    EACH(i, 4) sum = dot(wasm_i16x8_const_splat(8), wasm_v128_load(values + 16 * i), sum);
    i32 first = wasm_i32x4_extract_lane(sum, 0) + wasm_i32x4_extract_lane(sum, 2);
    out[0] = first;
    out[1] = first + wasm_i32x4_extract_lane(sum, 1) + wasm_i32x4_extract_lane(sum, 3);
    out += 2;
    values += ACTIVATION_BYTES;
  }
}

/* One row with 4-bit weights, in the places of a word where they stand: a group's sums are at most 15 * 256 * 8191 * 16. */
__attribute__((noinline)) static void tile_1_nibbles(const Panel *panel, const u8 *values, v128_t sums[][2]) {
  const u8 *weights = panel->weights, *multipliers = panel->multipliers;
  const i32 *eights = panel->eights;
  Sums all;
  clear_sums(&all);
  for (u32 group = panel->groups; group > 0; group--) {
    v128_t part[4] = {ZERO, ZERO, ZERO, ZERO}, multiplier[2];
    EACH(k, GROUP / STEP / 2) {
      v128_t words = wasm_v128_load(weights + 16 * k);
      v128_t q = wasm_v128_load32_splat(values + 8 * k), behind = wasm_v128_load32_splat(values + 8 * k + 4);
      part[0] = dot(wasm_v128_and(words, wasm_i16x8_const_splat(0x000f)), q, part[0]);
      part[1] = dot(wasm_v128_and(words, wasm_i16x8_const_splat(0x00f0)), q, part[1]);
      part[2] = dot(wasm_v128_and(words, wasm_i16x8_const_splat(0x0f00)), behind, part[2]);
      part[3] = dot(wasm_i16x8_shr(words, 12), behind, part[3]);
      EACH(n, 4) KEEP(part[n]);
    }
    part[0] = wasm_i32x4_add(part[0], wasm_i32x4_shr(part[2], 8));
    part[1] = wasm_i32x4_add(wasm_i32x4_shr(part[1], 4), part[3]);
    part[0] = wasm_i32x4_sub(part[0], wasm_v128_load32_splat(eights + 1));
    part[1] = wasm_i32x4_sub(part[1], wasm_v128_load32_splat(eights));
    load_multipliers(multipliers, multiplier);
    EACH(n, 2) add_part(&all, n, wasm_i32x4_mul(part[n], multiplier[n]));
    weights += GROUP_BYTES / 2;
    multipliers += PANEL;
    values += ACTIVATION_BYTES;
    eights += 2;
  }
  finish_sums(&all, sums[0]);
}

/* Some rows with a prepared panel. */
INLINE void tile(const u32 rows, const Panel *panel, const u8 *values, u32 pitch, v128_t sums[][2]) {
  const u8 *products = panel->weights;
  const u32 groups = panel->groups, span = panel->span;
  Sums all[WIDEST_TILE];
  EACH_ROW(r, WIDEST_TILE, rows) clear_sums(&all[r]);
  for (u32 group = 0; group < groups;) {
    v128_t part[WIDEST_TILE][2];
    EACH_ROW(r, WIDEST_TILE, rows) part[r][0] = part[r][1] = ZERO;
    u32 end = group + span < groups ? group + span : groups;
    for (; group < end; group++) {
      EACH(k, GROUP / STEP) {
        v128_t w0 = wasm_v128_load(products + 32 * k), w1 = wasm_v128_load(products + 32 * k + 16);
        EACH_ROW(r, WIDEST_TILE, rows) {
          v128_t q = wasm_v128_load32_splat(values + r * pitch + 4 * k);
          part[r][0] = dot(w0, q, part[r][0]);
          part[r][1] = dot(w1, q, part[r][1]);
          KEEP(part[r][0]);
          KEEP(part[r][1]);
        }
      }
      products += 2 * GROUP_BYTES;
      values += ACTIVATION_BYTES;
    }
    EACH_ROW(r, WIDEST_TILE, rows) EACH(n, 2) add_part(&all[r], n, part[r][n]);
  }
  EACH_ROW(r, WIDEST_TILE, rows) finish_sums(&all[r], sums[r]);
}

TILE(2)
TILE(3)
TILE(4)

/* A panel for tiles of many rows: weights times multipliers, 14 bits with sign. */
static const u8 *prepare_panel(const Panel *panel, u32 bits, u8 *room) {
  const u8 *from = panel->weights, *multipliers = panel->multipliers;
  u8 *to = room;
  for (u32 group = panel->groups; group > 0; group--) {
    v128_t once = wasm_u16x8_load8x8(multipliers), twice[2];
    twice[0] = wasm_i16x8_shuffle(once, once, 0, 0, 1, 1, 2, 2, 3, 3);
    twice[1] = wasm_i16x8_shuffle(once, once, 4, 4, 5, 5, 6, 6, 7, 7);
    EACH(k, GROUP / STEP) EACH(n, 2) {
      v128_t weights = bits == 8 ? weights_at(8, from, k, n) : weights_at(4, from, k, n);
      wasm_v128_store(to + 32 * k + 16 * n, wasm_i16x8_mul(weights, twice[n]));
    }
    from += GROUP_BYTES * bits / 8;
    multipliers += PANEL;
    to += 2 * GROUP_BYTES;
  }
  return room;
}
