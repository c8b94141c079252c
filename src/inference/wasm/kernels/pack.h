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

/*
 * One panel from 8 rows of a file: `rows` i8[PANEL][stride] or pairs of 4 bits, `multipliers` u8[PANEL][groups]. Missing rows
 * are zeros. `room` is space for two panels of bytes.
 */
EXPORT("packPanel")
void pack_panel(const Matrix *matrix, u32 panel, const u8 *rows, const u8 *multipliers, u8 *room) {
  u32 groups = matrix->groups, stride = groups * GROUP;
  u8 *weights = (u8 *)matrix->weights + panel * groups * (GROUP_BYTES * matrix->bits / 8);
  u8 *packed = (u8 *)matrix->multipliers + panel * groups * PANEL;
  if (matrix->bits == 4) {
    u8 *bytes = room, *order = room + PANEL * stride;
    for (u32 i = 0; i < PANEL * stride / 2; i++) {
      bytes[2 * i] = (u8)sign_extend(rows[i]);
      bytes[2 * i + 1] = (u8)sign_extend(rows[i] >> 4);
    }
    rows = bytes;
    pack_bytes(bytes, groups, order);
    for (u32 group = 0; group < groups; group++)
      for (u32 i = 0; i < GROUP_BYTES / 2; i++) {
        const u8 *at = order + group * GROUP_BYTES + i;
        weights[group * (GROUP_BYTES / 2) + i] = (u8)(((at[0] + 8) & 15) | ((at[GROUP_BYTES / 2] + 8) << 4));
      }
  } else {
    pack_bytes(rows, groups, weights);
  }
  for (u32 n = 0; n < PANEL; n++) {
    u32 offset = 0;
    for (u32 group = 0; group < groups; group++) {
      i32 sum = 0;
      for (u32 k = 0; k < GROUP; k++) sum += (i8)rows[n * stride + group * GROUP + k];
      offset += 64 * (u32)sum * multipliers[n * groups + group];
      packed[group * PANEL + n] = multipliers[n * groups + group];
    }
    ((i32 *)matrix->offsets)[panel * PANEL + n] = (i32)offset;
  }
}
