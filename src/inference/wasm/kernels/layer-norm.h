/* LayerNorm, quantised. */
#pragma once
#include "rows.h"

typedef struct {
  /* Zeros behind the row's width, as everywhere. */
  const i16 *factors;
  i32 fraction;
  const i32 *offsets;
  u32 epsilon, root_width;
} LayerNorm;

/* Values of a row in whole groups. */
INLINE u32 pitch_of(u32 size) { return (size + GROUP - 1) & ~(u32)(GROUP - 1); }

INLINE void clear_from(i32 *row, u32 size) {
  for (u32 end = pitch_of(size); size < end; size++) row[size] = 0;
}

/* Answers with the scale of `out`, which is in whole groups. `wide` is room for a row. */
__attribute__((noinline)) static u32 layer_norm_row(const i32 *x, u32 size, const LayerNorm *norm, i32 *wide, u8 *out) {
  u32 pitch = pitch_of(size);
  i32 first = larger(0, bit_length(largest_of(x, pitch)) + bit_length(size) - 30);
  v128_t sum4 = wasm_i32x4_const_splat(0);
  for (u32 i = 0; i < pitch; i += 4) {
    v128_t value = shift4(wasm_v128_load(x + i), first);
    wasm_v128_store(wide + i, value);
    sum4 = wasm_i32x4_add(sum4, value);
  }
  v128_t sum = wasm_i32x4_splat(sum_of_lanes(sum4)), count = wasm_i32x4_splat((i32)size);
  for (u32 i = 0; i < pitch; i += 4)
    wasm_v128_store(wide + i, wasm_i32x4_sub(wasm_i32x4_mul(wasm_v128_load(wide + i), count), sum));
  clear_from(wide, size);
  i32 second = larger(0, bit_length(largest_of(wide, pitch)) - 15);
  i32 bits = first + second;
  v128_t high4 = wasm_i32x4_const_splat(0), low4 = high4;
  for (u32 i = 0; i < pitch; i += 4) {
    v128_t value = shift4(wasm_v128_load(wide + i), second);
    v128_t square = wasm_i32x4_mul(value, value);
    high4 = wasm_i32x4_add(high4, wasm_u32x4_shr(square, 16));
    low4 = wasm_i32x4_add(low4, wasm_v128_and(square, wasm_i32x4_const_splat(0xffff)));
    wasm_v128_store(wide + i, wasm_i32x4_mul(value, wasm_i32x4_load16x4(norm->factors + i)));
  }
  u32 low = (u32)sum_of_lanes(low4);
  u32 high = (2 * bits > 31 ? 0 : norm->epsilon >> (2 * bits)) + (u32)sum_of_lanes(high4) + (low >> 16);
  u32 scale = multiply_scales(norm->root_width, reciprocal_root(high, low & 0xffff));
  scale = times_power_of_two(scale, -norm->fraction);
  for (u32 i = 0; i < pitch; i += 4) {
    v128_t value = apply_scale4(wasm_v128_load(wide + i), scale, RESIDUAL_FRACTION);
    wasm_v128_store(wide + i, wasm_i32x4_add(value, wasm_v128_load(norm->offsets + i)));
  }
  return times_power_of_two(quantise_row(wide, pitch, out), -RESIDUAL_FRACTION);
}
