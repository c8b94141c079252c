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

/* 2^-x in Q15 of four numbers in Q16, 0 from 16 on. */
INLINE v128_t exp2_negative4(v128_t x, const i32 *table) {
  const v128_t byte = wasm_i32x4_const_splat(255);
  v128_t parts = wasm_v128_and(x, byte), a, b;
  look_up4(table, wasm_v128_and(wasm_u32x4_shr(x, 8), byte), &a, &b);
  /* The table falls: what is rounded is what is taken away. */
  v128_t fall = wasm_i32x4_add(wasm_i32x4_mul(wasm_i32x4_sub(a, b), parts), wasm_i32x4_const_splat(128));
  v128_t value = wasm_i32x4_sub(a, wasm_i32x4_shr(fall, 8));
  v128_t power = power_below4(wasm_u32x4_shr(x, 16), 15);
  v128_t half = wasm_i32x4_const_splat(1 << 15);
  return wasm_u32x4_shr(wasm_i32x4_add(wasm_i32x4_mul(value, power), half), 16);
}

INLINE v128_t score_step(const i16 *query, const i16 *keys, u32 i, v128_t sum) {
  v128_t pair = wasm_v128_load32_splat(query + i);
  return wasm_i32x4_add(sum, wasm_i32x4_dot_i16x8(pair, wasm_v128_load(keys + 4 * i)));
}

/* Sums of the query with four keys, their lowest 7 bits cut off. A lane holds 32 products of 8191 * 8191 in 31 bits. */
INLINE v128_t scores4(const i16 *query, const i16 *keys, u32 size) {
  v128_t high = ZERO, low = ZERO;
  for (u32 start = 0; start < size; start += 32) {
    v128_t sum = ZERO, other = ZERO;
    if (start + 32 <= size) {
#pragma unroll
      for (u32 i = 0; i < 32; i += 4) {
        sum = score_step(query, keys, i, sum);
        other = score_step(query, keys, i + 2, other);
      }
    } else {
      for (u32 i = 0; i < size - start; i += 2) sum = score_step(query, keys, i, sum);
    }
    sum = wasm_i32x4_add(sum, other);
    high = wasm_i32x4_add(high, wasm_i32x4_shr(sum, PLANE_BITS));
    low = wasm_i32x4_add(low, wasm_v128_and(sum, wasm_i32x4_const_splat(127)));
    query += 32;
    keys += 4 * 32;
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

/* Scores of positions 0 to `count - 1`, in units of log2; answers with the largest. */
INLINE i32 score_positions(const i16 *query, u32 query_scale, const History *history, u32 size, u32 count, i32 *scores) {
  v128_t most = wasm_i32x4_const_splat(INT32_MIN);
  u32 at = 0;
  for (; at < count; at += 4) {
    v128_t sums = scores4(query, history->keys + at * size, size);
    sums = apply_scales4(sums, query_scale, history->key_scales + at, PLANE_BITS, SCORE_FRACTION);
    wasm_v128_store(scores + at, sums);
    if (at + 4 <= count) most = wasm_i32x4_max(most, sums);
  }
  i32 largest = INT32_MIN, lanes[4];
  wasm_v128_store(lanes, most);
  for (u32 i = 0; i < 4; i++) largest = larger(largest, lanes[i]);
  for (u32 i = count & ~3u; i < count; i++) largest = larger(largest, scores[i]);
  return largest;
}

/* The largest exponent among scales, which is that of the largest scale as a number. */
INLINE i32 largest_exponent(const u32 *scales, u32 count) {
  v128_t most = ZERO;
  for (u32 at = 0; at + 4 <= count; at += 4) most = wasm_u32x4_max(most, wasm_v128_load(scales + at));
  u32 largest = largest_lane(most);
  for (u32 at = count & ~3u; at < count; at++) largest = scales[at] > largest ? scales[at] : largest;
  return exponent_of(largest);
}

/* Sums of powers, and of weights, which take in the values' scales. */
typedef struct {
  u32 total, weighted;
} Totals;

/* Scores become weights; both have room up to a multiple of 8, where weights are 0. */
INLINE Totals weigh(i32 *scores, i32 largest, const u32 *value_scales, i32 exponent, u32 count, const i32 *exp2_table,
                    i16 *weights) {
  v128_t total = ZERO, weighted = ZERO, top = wasm_i32x4_splat(largest), end = wasm_i32x4_splat((i32)count);
  v128_t highest = wasm_i32x4_splat(exponent + EXPONENT_BIAS), index = wasm_i32x4_const(0, 1, 2, 3);
  for (u32 at = 0; at < count; at += 4) {
    v128_t power = exp2_negative4(wasm_i32x4_sub(top, wasm_v128_load(scores + at)), exp2_table);
    power = wasm_v128_and(power, wasm_i32x4_lt(index, end));
    index = wasm_i32x4_add(index, wasm_i32x4_const_splat(4));
    v128_t scale = wasm_v128_load(value_scales + at);
    v128_t mantissa = wasm_v128_and(scale, wasm_i32x4_const_splat(0xffff));
    v128_t behind = wasm_i32x4_sub(highest, wasm_u32x4_shr(scale, 16));
    v128_t weight = wasm_u32x4_shr(wasm_i32x4_mul(power, mantissa), 16);
    weight = wasm_u32x4_shr(wasm_i32x4_mul(weight, power_below4(behind, 15)), 15);
    total = wasm_i32x4_add(total, power);
    weighted = wasm_i32x4_add(weighted, weight);
    wasm_v128_store64_lane(weights + at, wasm_i16x8_narrow_i32x4(weight, weight), 0);
  }
  for (u32 at = (count + 3) & ~3u; at < ((count + 7) & ~7u); at++) weights[at] = 0;
  Totals totals = {(u32)sum_of_lanes(total), (u32)sum_of_lanes(weighted)};
  return totals;
}

/*
 * Attention over positions 0 to `count - 1`, into i32[size] in Q14. `scores` is room for as many i32, and `weights` i16, as
 * there are positions, rounded up to 8.
 */
__attribute__((noinline)) static void attend(const i16 *query, u32 query_scale, const History *history, u32 size, u32 count,
                   const i32 *exp2_table, i32 *scores, i16 *weights, i32 *out) {
  i32 largest = score_positions(query, query_scale, history, size, count, scores);
  i32 exponent = largest_exponent(history->value_scales, count);
  Totals totals = weigh(scores, largest, history->value_scales, exponent, count, exp2_table, weights);
  i32 cut = larger(0, bit_length(totals.weighted) - 24);
  u32 end = (count + 7) & ~7u;
  if (cut > 0)
    for (u32 at = 0; at < end; at += 8)
      wasm_v128_store(weights + at, wasm_i16x8_shr(wasm_v128_load(weights + at), (u32)cut));
  u32 share = reciprocal(totals.total);
  u32 scale = pack_scale(mantissa_of(share), exponent_of(share) + exponent + 16 + cut + PLANE_BITS);
  u32 dims = dims_of(size);
  for (u32 start = 0; start < size; start += 16) {
    i32 sums[16];
    mix16(weights, history->values + 2 * start, end / 2, 2 * dims, sums);
    for (u32 i = 0; i < 16; i += 4)
      wasm_v128_store(sums + i, apply_scale4(wasm_v128_load(sums + i), scale, ACTIVATION_FRACTION));
    for (u32 i = 0; i < 16 && start + i < size; i++) out[start + i] = sums[i];
  }
}
