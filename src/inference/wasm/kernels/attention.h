/*
 * Attention of one head. Keys lie four positions side by side, values two, so that neither sum is taken across lanes:
 * keys i16[positions / 4][headSize / 2][4][2], values i16[positions / 2][dims][2], dims being headSize rounded up to 16.
 */
#pragma once
#include "rows.h"

typedef struct {
  i16 *keys;
  i16 *values;
  u32 *key_scales;
  u32 *value_scales;
} History;

INLINE u32 dims_of(u32 head_size) { return (head_size + 15) & ~15u; }

__attribute__((noinline)) static void remember(const History *history, u32 head_size, u32 position, const i16 *key, const i16 *value) {
  i16 *keys = history->keys + (position >> 2) * 4 * head_size + (position & 3) * 2;
  for (u32 i = 0; i < head_size; i += 2) {
    keys[i * 4] = key[i];
    keys[i * 4 + 1] = key[i + 1];
  }
  i16 *values = history->values + (position >> 1) * 2 * dims_of(head_size) + (position & 1);
  for (u32 i = 0; i < head_size; i++) values[i * 2] = value[i];
}

/* Turns a head by its position and quantises it. `turned` is room for a head. */
__attribute__((noinline)) static u32 turn_head(const i32 *head, u32 size, u32 is_halves, const i16 *cosines, const i16 *sines, i32 *turned,
                     i16 *out) {
  u32 largest = 0;
  for (u32 i = 0; i < size; i++) largest = magnitude(head[i]) > largest ? magnitude(head[i]) : largest;
  i32 bits = bit_length(largest) - 14;
  for (u32 pair = 0; pair < size / 2; pair++) {
    u32 i = is_halves ? pair : 2 * pair;
    u32 j = is_halves ? pair + size / 2 : i + 1;
    i32 a = shift(head[i], bits), b = shift(head[j], bits);
    turned[i] = a * cosines[pair] - b * sines[pair];
    turned[j] = a * sines[pair] + b * cosines[pair];
  }
  if (largest == 0) {
    for (u32 i = 0; i < size; i++) out[i] = 0;
    return NO_SCALE;
  }
  u32 scale = quantise_head(turned, size, out);
  return scale == NO_SCALE ? scale : times_power_of_two(scale, bits - UNIT_FRACTION - ACTIVATION_FRACTION);
}

INLINE i32 exp2_negative(u32 x, const i32 *table) {
  u32 whole = x >> 16;
  if (whole >= 16) return 0;
  u32 place = (x & 0xffff) >> 8;
  i32 a = table[place], b = table[place + 1];
  i32 value = a - (((a - b) * (i32)(x & 0xff) + 128) >> 8);
  return (i32)((u32)(value + (1 << whole)) >> (whole + 1));
}

/* Sums of the query with four keys, their lowest 7 bits cut off. A lane holds 32 products of 8191 * 8191 in 31 bits. */
INLINE v128_t scores4(const i16 *query, const i16 *keys, u32 size) {
  const v128_t zero = wasm_i32x4_const_splat(0);
  v128_t high = zero, low = zero;
  for (u32 start = 0; start < size; start += 32) {
    v128_t sum = zero;
    u32 end = start + 32 < size ? start + 32 : size;
    for (u32 i = start; i < end; i += 2) {
      v128_t pair = wasm_v128_load32_splat(query + i);
      sum = wasm_i32x4_add(sum, wasm_i32x4_dot_i16x8(pair, wasm_v128_load(keys + 4 * i)));
    }
    high = wasm_i32x4_add(high, wasm_i32x4_shr(sum, PLANE_BITS));
    low = wasm_i32x4_add(low, wasm_v128_and(sum, wasm_i32x4_const_splat(127)));
  }
  return wasm_i32x4_add(high, wasm_i32x4_shr(low, PLANE_BITS));
}

/* 16 values of a head: sums over positions of weight * value, their lowest 7 bits cut off. Four pairs fit 31 bits. */
INLINE void mix16(const i16 *weights, const i16 *values, u32 pairs, u32 pitch, i32 *out) {
  v128_t high[4], low[4];
#pragma unroll
  for (u32 n = 0; n < 4; n++) high[n] = low[n] = wasm_i32x4_const_splat(0);
  for (u32 pair = 0; pair < pairs; pair += 4) {
    v128_t sum[4];
#pragma unroll
    for (u32 n = 0; n < 4; n++) sum[n] = wasm_i32x4_const_splat(0);
#pragma unroll
    for (u32 i = 0; i < 4; i++) {
      v128_t weight = wasm_v128_load32_splat(weights + 2 * i);
#pragma unroll
      for (u32 n = 0; n < 4; n++)
        sum[n] = wasm_i32x4_add(sum[n], wasm_i32x4_dot_i16x8(weight, wasm_v128_load(values + i * pitch + 8 * n)));
    }
#pragma unroll
    for (u32 n = 0; n < 4; n++) {
      high[n] = wasm_i32x4_add(high[n], wasm_i32x4_shr(sum[n], PLANE_BITS));
      low[n] = wasm_i32x4_add(low[n], wasm_v128_and(sum[n], wasm_i32x4_const_splat(127)));
    }
    weights += 8;
    values += 4 * pitch;
  }
#pragma unroll
  for (u32 n = 0; n < 4; n++)
    wasm_v128_store(out + 4 * n, wasm_i32x4_add(high[n], wasm_i32x4_shr(low[n], PLANE_BITS)));
}

/*
 * Attention over positions 0 to `count - 1`, into i32[size] in Q14. `scores` is room for as many i32, and `weights` i16, as
 * there are positions, rounded up to 8.
 */
__attribute__((noinline)) static void attend(const i16 *query, u32 query_scale, const History *history, u32 size, u32 count,
                   const i32 *exp2_table, i32 *scores, i16 *weights, i32 *out) {
  i32 largest = INT32_MIN, exponent = -32768;
  for (u32 at = 0; at < count; at += 4) {
    v128_t sums = scores4(query, history->keys + at * size, size);
    sums = apply_scales4(sums, query_scale, history->key_scales + at, PLANE_BITS, SCORE_FRACTION);
    wasm_v128_store(scores + at, sums);
    for (u32 i = at; i < at + 4 && i < count; i++) {
      largest = larger(largest, scores[i]);
      exponent = larger(exponent, exponent_of(history->value_scales[i]));
    }
  }
  u32 total = 0, weighted = 0;
  for (u32 at = 0; at < count; at++) {
    u32 power = (u32)exp2_negative((u32)largest - (u32)scores[at], exp2_table);
    total += power;
    i32 behind = exponent - exponent_of(history->value_scales[at]);
    u32 weight = behind > 15 ? 0 : (power * mantissa_of(history->value_scales[at]) >> 16) >> behind;
    weights[at] = (i16)weight;
    weighted += weight;
  }
  i32 cut = larger(0, bit_length(weighted) - 24);
  if (cut > 0)
    for (u32 at = 0; at < count; at++) weights[at] = (i16)(weights[at] >> cut);
  u32 end = (count + 7) & ~7u;
  for (u32 at = count; at < end; at++) weights[at] = 0;
  u32 share = reciprocal(total);
  u32 scale = pack_scale(mantissa_of(share), exponent_of(share) + exponent + 16 + cut + PLANE_BITS);
  u32 dims = dims_of(size);
  for (u32 start = 0; start < size; start += 16) {
    i32 sums[16];
    mix16(weights, history->values + 2 * start, end / 2, 2 * dims, sums);
    for (u32 i = 0; i < 16 && start + i < size; i++)
      out[start + i] = apply_scale(sums[i], scale, ACTIVATION_FRACTION);
  }
}
