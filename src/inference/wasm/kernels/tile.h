/*
 * Sums of one or more rows of a batch with a panel of 8 outputs, so that a lane of a vector is one output and nothing is added
 * up across lanes. All of them are floor(sum / 128) of the exact sum of multiplier * weight * activation.
 */
#pragma once
#include "numbers.h"

enum { PANEL = 8, GROUP_BYTES = PANEL * GROUP, ACTIVATION_BYTES = 2 * GROUP };

#ifdef RELAXED
/* Columns that one dot product takes of an output. */
#define STEP 4
#define WIDEST_TILE 3
/* Becomes the instruction i32x4.relaxed_dot_i8x16_i7x16_add_s when the module is built: this compiler has no name for it. */
__attribute__((import_module("instruction"), import_name("dot"), const)) v128_t dot(v128_t i8s, v128_t i7s, v128_t sum);
#else
#define STEP 2
#define WIDEST_TILE 4
INLINE v128_t dot(v128_t weights, v128_t activations, v128_t sum) {
  return wasm_i32x4_add(sum, wasm_i32x4_dot_i16x8(weights, activations));
}
#endif

/*
 * Nothing moves over this: without it the compiler takes one sum after the other through all steps, and a hundred values
 * that were loaded once wait in memory for theirs.
 */
#define KEEP(value) __asm__ volatile("" : "+r"(value) : : "memory")

/* What a tile takes of a matrix: 8 outputs, prepared or as they are stored. */
typedef struct {
  const u8 *weights, *multipliers;
  /* Groups, and how many of them may be added up before the sums are split. */
  u32 groups, span;
  /* Of a single row, for 4-bit weights: see list_eights. */
  const i32 *eights;
} Panel;

/* A loop whose rounds stand one after the other. */
#define EACH(name, count) _Pragma("unroll") for (u32 name = 0; name < (count); name++)

/* The same for some of at most `most` rows: the compiler knows only `most` early enough. */
#define EACH_ROW(name, most, count) EACH(name, most) if (name < (count))

/* Multipliers of a panel's outputs for one group. */
INLINE void load_multipliers(const u8 *at, v128_t out[2]) {
  v128_t wide = wasm_u16x8_load8x8(at);
  out[0] = wasm_u32x4_extend_low_u16x8(wide);
  out[1] = wasm_u32x4_extend_high_u16x8(wide);
}

/* Sums whose lowest 7 bits are added up apart, so that neither part leaves 31 bits. */
typedef struct {
  v128_t high[2], low[2];
} Sums;

INLINE void clear_sums(Sums *sums) { EACH(n, 2) sums->high[n] = sums->low[n] = ZERO; }

INLINE void add_part(Sums *sums, u32 n, v128_t part) {
  sums->high[n] = wasm_i32x4_add(sums->high[n], wasm_i32x4_shr(part, PLANE_BITS));
  sums->low[n] = wasm_i32x4_add(sums->low[n], wasm_v128_and(part, wasm_i32x4_const_splat(127)));
}

INLINE void finish_sums(const Sums *sums, v128_t out[2]) {
  EACH(n, 2) out[n] = wasm_i32x4_add(sums->high[n], wasm_i32x4_shr(sums->low[n], PLANE_BITS));
}

#define TILE(rows)                                                                                              \
  __attribute__((noinline)) static void tile_##rows(const Panel *panel, const u8 *values, u32 pitch,            \
                                                    v128_t sums[][2]) {                                         \
    tile(rows, panel, values, pitch, sums);                                                                     \
  }

#ifdef RELAXED
#include "tile-bytes.h"
#else
#include "tile-words.h"
#endif
