/* Puts a matrix of a model's file into panels. */
#pragma once
#include "product.h"

static i32 sign_extend(u32 nibble) { return (i32)(nibble << 28) >> 28; }

/* Panel from bytes i8[PANEL][stride] at `rows`. */
static void pack_bytes(const u8 *rows, u32 groups, u8 *to) {
  u32 stride = groups * GROUP;
  for (u32 k = 0; k < stride; k += STEP)
    for (u32 n = 0; n < PANEL; n++) {
      __builtin_memcpy(to, rows + n * stride + k, STEP);
      to += STEP;
    }
}

/* What is 8 more in byte i of a panel of 4 bits. */
#ifdef RELAXED
#define FLIPPED(i) 0
#else
#define FLIPPED(i) ((i) % 2 == 0 ? 0x88 : 0x08)
#endif

/* Halves the bytes of a panel, as the tiles of 4 bits take them. */
static void pack_nibbles(const u8 *bytes, u32 groups, u8 *to) {
  for (; groups > 0; groups--) {
    for (u32 i = 0; i < GROUP_BYTES / 2; i++) {
#ifdef RELAXED
      u32 first = i, second = i + GROUP_BYTES / 2;
#else
      u32 first = i / 16 * 32 + i % 2 * 16 + i % 16 / 2, second = first + 8;
#endif
      *to++ = (u8)((bytes[first] & 15) | (bytes[second] << 4)) ^ FLIPPED(i);
    }
    bytes += GROUP_BYTES;
  }
}

/* Sums of a group of an output: of weights, of those above zero, of their sizes; all at most 32 * 128. */
typedef struct {
  i32 all;
  u32 positive, sizes;
} GroupSums;

static GroupSums group_sums(const u8 *weights) {
  GroupSums sums = {0, 0, 0};
  for (u32 k = 0; k < GROUP; k++) {
    i32 weight = (i8)weights[k];
    sums.all += weight;
    sums.positive += (u32)larger(weight, 0);
    sums.sizes += magnitude(weight);
  }
  return sums;
}

enum { WIDEST_SPAN = 8 };

/* Groups of a panel that may be added up in 31 bits whatever the activations. `sizes` u32[groups][PANEL]. */
static u32 span_of(const u32 *sizes, u32 groups) {
  const u32 most = 0x7fffffff / LARGEST_ACTIVATION;
  for (u32 span = WIDEST_SPAN; span > 1; span--) {
    u32 largest = 0;
    for (u32 n = 0; n < PANEL; n++)
      for (u32 start = 0; start < groups; start += span) {
        u32 sum = 0;
        for (u32 group = start; group < start + span && group < groups; group++) sum += sizes[group * PANEL + n];
        largest = sum > largest ? sum : largest;
      }
    if (largest <= most) return span;
  }
  return 1;
}

/*
 * One panel from 8 rows of a file: `rows` i8[PANEL][stride] or pairs of 4 bits, `multipliers` u8[PANEL][groups]. Missing rows
 * are zeros. `room` is space for two panels of bytes.
 */
EXPORT("packPanel")
void pack_panel(const Matrix *matrix, u32 panel, const u8 *rows, const u8 *multipliers, u8 *room) {
  Panel to = stored_panel(matrix, panel);
  u32 groups = to.groups, stride = groups * GROUP;
  u8 *bytes = room, *further = room + PANEL * stride;
  if (matrix->bits == 4) {
    for (u32 i = 0; i < PANEL * stride / 2; i++) {
      bytes[2 * i] = (u8)sign_extend(rows[i]);
      bytes[2 * i + 1] = (u8)sign_extend(rows[i] >> 4);
    }
    rows = bytes;
    pack_bytes(bytes, groups, further);
    pack_nibbles(further, groups, (u8 *)to.weights);
  } else {
    pack_bytes(rows, groups, (u8 *)to.weights);
  }
  u32 *sizes = (u32 *)further;
  for (u32 n = 0; n < PANEL; n++) {
    u32 offset = 0, positive = 0;
    for (u32 group = 0; group < groups; group++) {
      u32 multiplier = multipliers[n * groups + group];
      GroupSums sums = group_sums(rows + n * stride + group * GROUP);
      offset += 64 * (u32)sums.all * multiplier;
      positive += sums.positive * multiplier;
      sizes[group * PANEL + n] = sums.sizes * multiplier;
      ((u8 *)to.multipliers)[group * PANEL + n] = (u8)multiplier;
    }
    ((i32 *)matrix->offsets)[panel * PANEL + n] = (i32)offset;
    ((double *)matrix->doubles)[panel * PANEL + n] = double_of(matrix->scales[panel * PANEL + n]);
    /* Their sum is below 2^24, each times at most 127. */
    ((i32 *)matrix->rises)[panel * PANEL + n] = (i32)(127 * positive >> PLANE_BITS);
  }
  ((u8 *)matrix->spans)[panel] = (u8)span_of(sizes, groups);
}
