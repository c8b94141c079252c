/* Fixed-point numbers and scales: the same arithmetic as src/inference/numerics, on i64 where that is shorter. */
#pragma once
#include <stdint.h>
#include <wasm_simd128.h>

typedef int8_t i8;
typedef uint8_t u8;
typedef int16_t i16;
typedef uint16_t u16;
typedef int32_t i32;
typedef uint32_t u32;
typedef int64_t i64;
typedef uint64_t u64;

#define INLINE static inline __attribute__((always_inline))
#define EXPORT(name) __attribute__((export_name(name)))
#define ZERO wasm_i32x4_const_splat(0)

enum { ACTIVATION_FRACTION = 14, RESIDUAL_FRACTION = 16, SCORE_FRACTION = 16, UNIT_FRACTION = 15 };
enum { GROUP = 32, PLANE_BITS = 7, LARGEST_ACTIVATION = 8191, QUOTIENT_BITS = 17, EXPONENT_BIAS = 32768 };

INLINE i32 bit_length(u32 x) { return x == 0 ? 0 : 32 - __builtin_clz(x); }
INLINE u32 magnitude(i32 x) { return x < 0 ? 0u - (u32)x : (u32)x; }
INLINE i32 larger(i32 a, i32 b) { return a > b ? a : b; }

INLINE i32 round_shift(i32 x, i32 bits) {
  if (bits <= 0) return x;
  if (bits > 31) return 0;
  return ((x >> (bits - 1)) >> 1) + ((x >> (bits - 1)) & 1);
}
INLINE i32 shift(i32 x, i32 bits) { return bits > 0 ? round_shift(x, bits) : (i32)((u32)x << -bits); }

/* The same for four values. `bits` is the same for all, -31 to 31. */
INLINE v128_t shift4(v128_t x, i32 bits) {
  if (bits <= 0) return wasm_i32x4_shl(x, -bits);
  v128_t half = wasm_i32x4_shr(x, bits - 1);
  return wasm_i32x4_add(wasm_i32x4_shr(half, 1), wasm_v128_and(half, wasm_i32x4_const_splat(1)));
}

/* a * b / 2^bits, cut towards zero. */
INLINE i32 multiply_shift(i32 a, i32 b, i32 bits) {
  i64 product = (i64)a * b;
  return product < 0 ? (i32)(0u - (u32)((u64)-product >> bits)) : (i32)((u64)product >> bits);
}

INLINE u32 pack_scale(u32 mantissa, i32 exponent) {
  return (mantissa & 0xffff) | ((u32)(exponent + EXPONENT_BIAS) << 16);
}
#define NO_SCALE pack_scale(0x8000, -200)
INLINE i32 exponent_of(u32 scale) { return (i32)(scale >> 16) - EXPONENT_BIAS; }
INLINE u32 mantissa_of(u32 scale) { return scale & 0xffff; }
INLINE u32 times_power_of_two(u32 scale, i32 bits) { return pack_scale(mantissa_of(scale), exponent_of(scale) + bits); }

INLINE u32 scale_from(u32 x, i32 exponent) {
  if (x == 0) return NO_SCALE;
  i32 bits = bit_length(x);
  return pack_scale(bits > 16 ? x >> (bits - 16) : x << (16 - bits), exponent + bits - 16);
}

INLINE u32 multiply_scales(u32 a, u32 b) {
  u32 product = mantissa_of(a) * mantissa_of(b);
  u32 carry = product >> 31;
  return pack_scale(product >> (15 + carry), exponent_of(a) + exponent_of(b) + 15 + (i32)carry);
}

INLINE i32 apply_scale(i32 x, u32 scale, i32 fraction) {
  i64 product = (i64)x * mantissa_of(scale);
  i32 right = -(exponent_of(scale) + fraction) - 16;
  if (right > 0) return right > 31 ? 0 : (i32)(((product >> (right + 15)) + 1) >> 1);
  return right < -16 ? 0 : (i32)(product >> (16 + right));
}

/* 2^x for x from 0 to 31: each byte looks up what it has of it. */
INLINE v128_t power4(v128_t x) {
  const v128_t bits = wasm_u8x16_const(1, 2, 4, 8, 16, 32, 64, 128, 0, 0, 0, 0, 0, 0, 0, 0);
  v128_t bytes = wasm_i8x16_shuffle(x, x, 0, 0, 0, 0, 4, 4, 4, 4, 8, 8, 8, 8, 12, 12, 12, 12);
  return wasm_i8x16_swizzle(bits, wasm_i8x16_sub(bytes, wasm_u32x4_const_splat(0x18100800)));
}

/*
 * apply_scale of four numbers by the product of `scale` with each of `scales` and 2^bits. What must be shifted right by 1 to 31,
 * each by its own amount, is multiplied by a power of two of 64 bits instead; anything else goes one by one.
 */
INLINE v128_t apply_scales4(v128_t x, u32 scale, const u32 *scales, i32 bits, i32 fraction) {
  const v128_t low_half = wasm_i32x4_const_splat(0xffff);
  v128_t packed = wasm_v128_load(scales);
  v128_t product = wasm_i32x4_mul(wasm_v128_and(packed, low_half), wasm_i32x4_splat((i32)mantissa_of(scale)));
  v128_t carry = wasm_i32x4_shr(product, 31);
  v128_t mantissa = wasm_v128_bitselect(wasm_u32x4_shr(product, 16), wasm_u32x4_shr(product, 15), carry);
  i32 most = EXPONENT_BIAS - (exponent_of(scale) + 15 + bits + fraction) - 16;
  v128_t right = wasm_i32x4_add(wasm_i32x4_sub(wasm_i32x4_splat(most), wasm_u32x4_shr(packed, 16)), carry);
  v128_t is_usual = wasm_u32x4_lt(wasm_i32x4_sub(right, wasm_i32x4_const_splat(1)), wasm_i32x4_const_splat(31));
  if (__builtin_expect(!wasm_i32x4_all_true(is_usual), 0)) {
    i32 values[4];
    wasm_v128_store(values, x);
    for (u32 lane = 0; lane < 4; lane++)
      values[lane] = apply_scale(values[lane], times_power_of_two(multiply_scales(scale, scales[lane]), bits), fraction);
    return wasm_v128_load(values);
  }
  v128_t upper = wasm_i32x4_mul(wasm_i32x4_shr(x, 16), mantissa);
  v128_t lower = wasm_i32x4_mul(wasm_v128_and(x, low_half), mantissa);
  v128_t high = wasm_i32x4_add(upper, wasm_u32x4_shr(lower, 16));
  v128_t powers = power4(wasm_i32x4_sub(wasm_i32x4_const_splat(31), right));
  const v128_t half = wasm_i64x2_const_splat(1 << 30);
  v128_t first = wasm_i64x2_add(wasm_i64x2_extmul_low_i32x4(high, powers), half);
  v128_t second = wasm_i64x2_add(wasm_i64x2_extmul_high_i32x4(high, powers), half);
  return wasm_i32x4_shuffle(wasm_u64x2_shr(first, 31), wasm_u64x2_shr(second, 31), 0, 2, 4, 6);
}

/* apply_scale of four numbers by one scale. */
INLINE v128_t apply_scale4(v128_t x, u32 scale, i32 fraction) {
  const v128_t low_half = wasm_i32x4_const_splat(0xffff);
  v128_t mantissa = wasm_i32x4_splat((i32)mantissa_of(scale));
  i32 right = -(exponent_of(scale) + fraction) - 16;
  v128_t lower = wasm_i32x4_mul(wasm_v128_and(x, low_half), mantissa);
  v128_t high = wasm_i32x4_add(wasm_i32x4_mul(wasm_i32x4_shr(x, 16), mantissa), wasm_u32x4_shr(lower, 16));
  if (right > 31 || right < -16) return wasm_i32x4_const_splat(0);
  if (right >= 0) return shift4(high, right);
  return wasm_v128_or(wasm_i32x4_shl(high, -right), wasm_u32x4_shr(wasm_v128_and(lower, low_half), 16 + right));
}

/* 2^(most - x) for x up to `most`, 0 for larger ones: through the exponent of a float. */
INLINE v128_t power_below4(v128_t x, i32 most) {
  v128_t kept = wasm_u32x4_min(x, wasm_i32x4_splat(most + 1));
  return wasm_i32x4_trunc_sat_f32x4(wasm_i32x4_shl(wasm_i32x4_sub(wasm_i32x4_splat(127 + most), kept), 23));
}

/* Values of a table at four places, and those behind them. */
INLINE void look_up4(const i32 *table, v128_t places, v128_t *at, v128_t *behind) {
  v128_t first = wasm_v128_load64_zero(table + wasm_i32x4_extract_lane(places, 0));
  v128_t second = wasm_v128_load64_zero(table + wasm_i32x4_extract_lane(places, 1));
  v128_t third = wasm_v128_load64_zero(table + wasm_i32x4_extract_lane(places, 2));
  v128_t fourth = wasm_v128_load64_zero(table + wasm_i32x4_extract_lane(places, 3));
  v128_t left = wasm_i64x2_shuffle(first, second, 0, 2), right = wasm_i64x2_shuffle(third, fourth, 0, 2);
  *at = wasm_i32x4_shuffle(left, right, 0, 2, 4, 6);
  *behind = wasm_i32x4_shuffle(left, right, 1, 3, 5, 7);
}

/* multiply_shift of four numbers. */
INLINE v128_t multiply_shift4(v128_t a, v128_t b, u32 bits) {
  v128_t sign = wasm_i32x4_shr(wasm_v128_xor(a, b), 31), x = wasm_i32x4_abs(a), y = wasm_i32x4_abs(b);
  v128_t first = wasm_u64x2_shr(wasm_u64x2_extmul_low_u32x4(x, y), bits);
  v128_t second = wasm_u64x2_shr(wasm_u64x2_extmul_high_u32x4(x, y), bits);
  v128_t size = wasm_i32x4_shuffle(first, second, 0, 2, 4, 6);
  return wasm_i32x4_sub(wasm_v128_xor(size, sign), sign);
}

/* A scale as a float, of which it is one exactly; infinity where its mantissa or exponent is not of the usual kind. */
INLINE double double_of(u32 scale) {
  u32 mantissa = mantissa_of(scale);
  i32 exponent = exponent_of(scale);
  if (mantissa == 0) return 0;
  if (mantissa < 0x8000 || exponent < -400 || exponent > 400) return __builtin_inf();
  u64 bits = (u64)(exponent + 15 + 1023) << 52 | (u64)(mantissa & 0x7fff) << 37;
  double value;
  __builtin_memcpy(&value, &bits, sizeof value);
  return value;
}

/*
 * The product of a scale with two others: floats hold it exactly, and its first 16 bits are kept, as multiply_scales does.
 */
INLINE v128_t multiply_doubles2(v128_t scale, const double *scales) {
  return wasm_v128_and(wasm_f64x2_mul(scale, wasm_v128_load(scales)), wasm_i64x2_const_splat(-(1ll << 37)));
}

/*
 * apply_scale of four numbers by scales below 1/2: floor(x * scale + 1/2). A product has 47 bits; with the half added it is exact
 * as well, or below 3/4. Adding 1.5 * 2^52 puts a whole number into the lowest bits.
 */
INLINE v128_t apply_doubles4(v128_t x, const v128_t scales[2]) {
  const v128_t half = wasm_f64x2_const_splat(0.5), low = wasm_f64x2_const_splat(6755399441055744.0);
  v128_t first = wasm_f64x2_mul(wasm_f64x2_convert_low_i32x4(x), scales[0]);
  v128_t second = wasm_f64x2_mul(wasm_f64x2_convert_low_i32x4(wasm_i64x2_shuffle(x, x, 1, 1)), scales[1]);
  first = wasm_f64x2_add(wasm_f64x2_floor(wasm_f64x2_add(first, half)), low);
  second = wasm_f64x2_add(wasm_f64x2_floor(wasm_f64x2_add(second, half)), low);
  return wasm_i32x4_shuffle(first, second, 0, 2, 4, 6);
}

INLINE u32 reciprocal(u32 x) {
  u32 normal = scale_from(x, 0);
  return scale_from(0x80000000u / mantissa_of(normal), -31 - exponent_of(normal));
}

static u32 square_root(u32 x) {
  u32 root = 0;
  for (u32 bit = 0x40000000; bit > 0; bit >>= 2) {
    u32 trial = root + bit;
    root >>= 1;
    if (x >= trial) {
      x -= trial;
      root += bit;
    }
  }
  return root;
}

/* 1 / sqrt(high * 2^16 + low). */
static u32 reciprocal_root(u32 high, u32 low) {
  if (high == 0 && low == 0) return pack_scale(0x8000, 0);
  i32 bits = high == 0 ? bit_length(low) : bit_length(high) + 16;
  i32 t = (bits - 32 + 1) & ~1;
  u64 sum = ((u64)high << 16) | low;
  u32 m = (u32)(t > 0 ? sum >> t : sum << -t);
  return scale_from(0x80000000u / square_root(m), -31 - (t >> 1));
}

INLINE i32 sum_of_lanes(v128_t x) {
  return wasm_i32x4_extract_lane(x, 0) + wasm_i32x4_extract_lane(x, 1) + wasm_i32x4_extract_lane(x, 2) +
         wasm_i32x4_extract_lane(x, 3);
}

INLINE u32 largest_lane(v128_t x) {
  x = wasm_u32x4_max(x, wasm_i32x4_shuffle(x, x, 2, 3, 0, 1));
  x = wasm_u32x4_max(x, wasm_i32x4_shuffle(x, x, 1, 0, 3, 2));
  return (u32)wasm_i32x4_extract_lane(x, 0);
}
