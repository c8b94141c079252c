/* Rows of a batch: quantisation, norm, gate. Rows are padded with zeros to whole groups, so that none has an end. */
#pragma once
#include "numbers.h"

/* 2 bytes a value, in the order in which the matrix product of this build takes them. */
INLINE void store_activations(u8 *out, u32 at, v128_t quantised) {
#ifdef RELAXED
  v128_t low = wasm_v128_and(quantised, wasm_i32x4_const_splat(127));
  v128_t high = wasm_i32x4_add(wasm_i32x4_shr(quantised, PLANE_BITS), wasm_i32x4_const_splat(64));
  v128_t words = wasm_i16x8_narrow_i32x4(low, high);
  wasm_v128_store64_lane(out + 2 * at, wasm_u8x16_narrow_i16x8(words, words), 0);
#else
  wasm_v128_store64_lane(out + 2 * at, wasm_i16x8_narrow_i32x4(quantised, quantised), 0);
#endif
}

INLINE u32 largest_of(const i32 *row, u32 size) {
  v128_t largest = wasm_i32x4_const_splat(0);
  for (u32 i = 0; i < size; i += 4) largest = wasm_u32x4_max(largest, wasm_i32x4_abs(wasm_v128_load(row + i)));
  return largest_lane(largest);
}

/* How a row is brought to 14 bits: shifted, multiplied, rounded. */
typedef struct {
  i32 bits;
  u32 quotient;
  u32 scale;
} Range;

INLINE Range range_of(u32 largest) {
  Range range = {0, 0, NO_SCALE};
  if (largest == 0) return range;
  range.bits = bit_length(largest) - 16;
  u32 top = (u32)shift((i32)largest, range.bits);
  range.quotient = ((u32)LARGEST_ACTIVATION << QUOTIENT_BITS) / top;
  /* 1 / 8191, as numerics/quantise.ts rounds it. */
  u32 step = pack_scale(((1u << 28) + LARGEST_ACTIVATION / 2) / LARGEST_ACTIVATION, -28);
  range.scale = multiply_scales(scale_from(top, range.bits), step);
  return range;
}

INLINE v128_t quantise4(v128_t values, Range range) {
  v128_t product = wasm_i32x4_mul(shift4(values, range.bits), wasm_i32x4_splat((i32)range.quotient));
  product = wasm_i32x4_add(product, wasm_i32x4_const_splat(1 << (QUOTIENT_BITS - 1)));
  return wasm_i32x4_shr(product, QUOTIENT_BITS);
}

/* Quantises a row; answers with its scale in units of the row's last bit. `size` is a multiple of 4. */
__attribute__((noinline)) static u32 quantise_row(const i32 *row, u32 size, u8 *out) {
  Range range = range_of(largest_of(row, size));
  for (u32 i = 0; i < size; i += 4) store_activations(out, i, quantise4(wasm_v128_load(row + i), range));
  return range.scale;
}

/* The same into i16, for heads, of any size. */
__attribute__((noinline)) static u32 quantise_head(const i32 *row, u32 size, i16 *out) {
  u32 largest = 0;
  for (u32 i = 0; i < size; i++) largest = magnitude(row[i]) > largest ? magnitude(row[i]) : largest;
  Range range = range_of(largest);
  for (u32 i = 0; i < size; i++) {
    i32 product = (i32)((u32)shift(row[i], range.bits) * range.quotient);
    out[i] = (i16)((product + (1 << (QUOTIENT_BITS - 1))) >> QUOTIENT_BITS);
  }
  return range.scale;
}

/* RMSNorm, quantised. `weighted` is room for `size` values. */
static u32 norm_row(const i32 *x, u32 size, const i16 *factors, i32 fraction, u32 epsilon, u32 root_width,
                    i32 *weighted, u8 *out) {
  i32 bits = larger(0, bit_length(largest_of(x, size)) - 15);
  u32 offset = 2 * bits > 31 ? 0 : epsilon >> (2 * bits);
  v128_t high4 = wasm_i32x4_const_splat(0), low4 = high4;
  for (u32 i = 0; i < size; i += 4) {
    v128_t value = shift4(wasm_v128_load(x + i), bits);
    v128_t square = wasm_i32x4_mul(value, value);
    high4 = wasm_i32x4_add(high4, wasm_u32x4_shr(square, 16));
    low4 = wasm_i32x4_add(low4, wasm_v128_and(square, wasm_i32x4_const_splat(0xffff)));
    wasm_v128_store(weighted + i, wasm_i32x4_mul(value, wasm_i32x4_load16x4(factors + i)));
  }
  u32 high = offset >> 16, low = offset & 0xffff;
  u32 highs[4], lows[4];
  wasm_v128_store(highs, high4);
  wasm_v128_store(lows, low4);
  for (u32 lane = 0; lane < 4; lane++) {
    high += highs[lane];
    low += lows[lane];
  }
  high += low >> 16;
  u32 scale = quantise_row(weighted, size, out);
  scale = multiply_scales(multiply_scales(scale, root_width), reciprocal_root(high, low & 0xffff));
  return times_power_of_two(scale, -fraction);
}

INLINE i32 sigmoid(i32 x, const i32 *table) {
  u32 size = magnitude(x);
  u32 place = size >> 8;
  i32 one = 1 << UNIT_FRACTION, value = one;
  if (place < 1024) {
    i32 a = table[place], b = table[place + 1];
    value = a + (((b - a) * (i32)(size & 0xff) + 128) >> 8);
  }
  return x < 0 ? one - value : value;
}

INLINE v128_t sigmoid4(v128_t x, const i32 *table) {
  const v128_t last = wasm_i32x4_const_splat(1023), one = wasm_i32x4_const_splat(1 << UNIT_FRACTION);
  v128_t size = wasm_i32x4_abs(x), place = wasm_u32x4_shr(size, 8);
  v128_t part = wasm_v128_and(size, wasm_i32x4_const_splat(255)), a, b;
  look_up4(table, wasm_u32x4_min(place, last), &a, &b);
  v128_t rise = wasm_i32x4_add(wasm_i32x4_mul(wasm_i32x4_sub(b, a), part), wasm_i32x4_const_splat(128));
  v128_t value = wasm_i32x4_add(a, wasm_i32x4_shr(rise, 8));
  value = wasm_v128_bitselect(one, value, wasm_u32x4_gt(place, last));
  return wasm_v128_bitselect(wasm_i32x4_sub(one, value), value, wasm_i32x4_shr(x, 31));
}

/* gate * sigmoid(gate) * up, into `gate`. `size` is a multiple of 4. */
__attribute__((noinline)) static void gate_row(i32 *gate, const i32 *up, u32 size, const i32 *table) {
  for (u32 i = 0; i < size; i += 4) {
    v128_t value = wasm_v128_load(gate + i);
    v128_t gated = multiply_shift4(value, sigmoid4(value, table), UNIT_FRACTION);
    wasm_v128_store(gate + i, multiply_shift4(gated, wasm_v128_load(up + i), ACTIVATION_FRACTION));
  }
}
