/** C = A * Bt of i8[SIZE, SIZE] with sums in i32, `rounds` times, with 128-bit vectors: 16 products at once. */
#include <wasm_simd128.h>

#define SIZE 128

static signed char a[SIZE * SIZE], b[SIZE * SIZE];
static int c[SIZE * SIZE];

__attribute__((target("simd128"))) static int dot(const signed char *x, const signed char *y) {
  v128_t sum = wasm_i32x4_splat(0);
  for (int k = 0; k < SIZE; k += 16) {
    v128_t left = wasm_v128_load(x + k);
    v128_t right = wasm_v128_load(y + k);
    sum = wasm_i32x4_add(sum, wasm_i32x4_dot_i16x8(wasm_i16x8_extend_low_i8x16(left),
                                                   wasm_i16x8_extend_low_i8x16(right)));
    sum = wasm_i32x4_add(sum, wasm_i32x4_dot_i16x8(wasm_i16x8_extend_high_i8x16(left),
                                                   wasm_i16x8_extend_high_i8x16(right)));
  }
  return wasm_i32x4_extract_lane(sum, 0) + wasm_i32x4_extract_lane(sum, 1) +
         wasm_i32x4_extract_lane(sum, 2) + wasm_i32x4_extract_lane(sum, 3);
}

__attribute__((export_name("run"), target("simd128"))) unsigned run(unsigned rounds) {
  for (int i = 0; i < SIZE * SIZE; i++) {
    a[i] = (signed char)(i * 7);
    b[i] = (signed char)(i * 11 + 3);
  }
  unsigned sum = 0;
  for (unsigned round = 0; round < rounds; round++) {
    a[round % (SIZE * SIZE)] ^= 1;
    for (int i = 0; i < SIZE; i++)
      for (int j = 0; j < SIZE; j++) c[i * SIZE + j] = dot(a + i * SIZE, b + j * SIZE);
    sum = sum * 31 + (unsigned)c[(round * 131) % (SIZE * SIZE)];
  }
  return sum;
}
