/* The forward pass of a Llama model for a batch of positions. place-model.ts writes the structures. */
#include "attention.h"
#include "likeliest.h"
#include "pack.h"
#include "product.h"
#include "rows.h"

typedef struct {
  const i16 *factors;
  i32 fraction;
} Norm;

typedef struct {
  Norm attention_norm;
  const Matrix *query, *key, *value, *output;
  Norm feed_norm;
  const Matrix *gate, *up, *down;
  /* Of all key heads, one behind the other: see history_of. */
  History history;
} Layer;

typedef struct {
  /* Values of a row of each buffer, in whole groups. */
  u32 width, query_width, key_width, inner;
  u32 heads, key_heads, head_size, is_halves, context;
  u32 epsilon, root_width, score_scale;
  const i16 *cosines, *sines;
  const i32 *exp2_table, *sigmoid_table;
  /* i32[batch][...]. */
  i32 *x, *query, *key, *value, *mixed, *gate, *up;
  u8 *activations;
  u32 *scales;
  i32 *scores;
  i16 *weights;
  u8 *room;
  i32 *wide;
} Session;

static Batch normed(const Session *s, const i32 *x, Norm norm, u32 count) {
  Batch batch = {s->activations, s->scales, 2 * s->width, count};
  for (u32 row = 0; row < count; row++)
    s->scales[row] = norm_row(x + row * s->width, s->width, norm.factors, norm.fraction, s->epsilon, s->root_width,
                              s->wide, s->activations + row * batch.pitch);
  return batch;
}

/* Quantises rows in Q14. */
static Batch quantised(const Session *s, const i32 *rows, u32 width, u32 count) {
  Batch batch = {s->activations, s->scales, 2 * width, count};
  for (u32 row = 0; row < count; row++)
    s->scales[row] = times_power_of_two(quantise_row(rows + row * width, width, s->activations + row * batch.pitch),
                                        -ACTIVATION_FRACTION);
  return batch;
}

INLINE void product(const Session *s, const Matrix *matrix, const Batch *batch, i32 *out, u32 pitch) {
  multiply(matrix, batch, 0, matrix->panels, ACTIVATION_FRACTION, out, pitch, 0, s->room);
}

INLINE void add_product(const Session *s, const Matrix *matrix, Batch batch) {
  multiply(matrix, &batch, 0, matrix->panels, RESIDUAL_FRACTION, s->x, s->width, 1, s->room);
}

static History history_of(const Session *s, const Layer *layer, u32 head) {
  u32 positions = s->context;
  History history = layer->history;
  history.keys += head * positions * s->head_size;
  history.values += head * positions * dims_of(s->head_size);
  history.key_scales += head * positions;
  history.value_scales += head * positions;
  return history;
}

static void remember_batch(const Session *s, const Layer *layer, u32 position, u32 count) {
  u32 size = s->head_size, half = size / 2;
  i16 *key = (i16 *)s->room, *value = key + size;
  for (u32 head = 0; head < s->key_heads; head++) {
    History history = history_of(s, layer, head);
    for (u32 row = 0; row < count; row++) {
      u32 at = position + row, from = row * s->key_width + head * size;
      history.key_scales[at] = turn_head(s->key + from, size, s->is_halves, s->cosines + at * half,
                                         s->sines + at * half, s->wide, key);
      history.value_scales[at] =
          times_power_of_two(quantise_head(s->value + from, size, value), -ACTIVATION_FRACTION);
      remember(&history, size, at, key, value);
    }
  }
}

static void attend_batch(const Session *s, const Layer *layer, u32 position, u32 count) {
  u32 size = s->head_size, half = size / 2;
  i16 *query = (i16 *)s->room;
  for (u32 head = 0; head < s->heads; head++) {
    History history = history_of(s, layer, head * s->key_heads / s->heads);
    for (u32 row = 0; row < count; row++) {
      u32 at = position + row, from = row * s->query_width + head * size;
      u32 scale = turn_head(s->query + from, size, s->is_halves, s->cosines + at * half, s->sines + at * half,
                            s->wide, query);
      attend(query, multiply_scales(scale, s->score_scale), &history, size, at + 1, s->exp2_table, s->scores,
             s->weights, s->mixed + from);
    }
  }
}

/* Row `row` of the batch becomes an embedding, i16[size]. */
EXPORT("embed")
void embed(const Session *s, u32 row, const i16 *values, u32 size, u32 scale) {
  i32 *x = s->x + row * s->width;
  for (u32 i = 0; i < size; i++) x[i] = apply_scale(values[i], scale, RESIDUAL_FRACTION);
}

/* Takes the batch through one layer; its first row is at `position`. */
EXPORT("layer")
void run_layer(const Session *s, const Layer *layer, u32 position, u32 count) {
  Batch batch = normed(s, s->x, layer->attention_norm, count);
  product(s, layer->query, &batch, s->query, s->query_width);
  product(s, layer->key, &batch, s->key, s->key_width);
  product(s, layer->value, &batch, s->value, s->key_width);
  remember_batch(s, layer, position, count);
  attend_batch(s, layer, position, count);
  add_product(s, layer->output, quantised(s, s->mixed, s->query_width, count));
  batch = normed(s, s->x, layer->feed_norm, count);
  product(s, layer->gate, &batch, s->gate, s->inner);
  product(s, layer->up, &batch, s->up, s->inner);
  for (u32 row = 0; row < count; row++)
    gate_row(s->gate + row * s->inner, s->up + row * s->inner, PANEL * layer->gate->panels, s->sigmoid_table);
  add_product(s, layer->down, quantised(s, s->gate, s->inner, count));
}

/* The head's outputs for rows of `x`, into i32[count][panels * 8]. */
EXPORT("logits")
void logits(const Session *s, Norm *norm, const Matrix *head, const i32 *x, u32 count, i32 *out) {
  Batch batch = normed(s, x, *norm, count);
  product(s, head, &batch, out, head->panels * PANEL);
}

/* The token of the largest score for rows of `x`, of `vocabulary`; `best` holds guesses. */
EXPORT("likeliest")
void likeliest(const Session *s, Norm *norm, const Matrix *head, const i32 *x, u32 count, u32 vocabulary, Best *best) {
  Batch batch = normed(s, x, *norm, count);
  find_best(head, &batch, ACTIVATION_FRACTION, vocabulary, best, s->room);
}

/*
 * Whether this machine's dot product is the exact one, over the extremes of both operands: one that saturates pairs, or takes
 * the second operand for unsigned bytes in another way, gives another sum.
 */
EXPORT("selfTest")
u32 self_test(void) {
#ifdef RELAXED
  static const i8 lefts[] = {-128, -127, -1, 0, 1, 85, 126, 127};
  static const i8 rights[] = {0, 1, 63, 64, 126, 127};
  for (u32 shape = 0; shape < 64; shape++) {
    i8 left[16], right[16];
    i32 start[4], sums[4], expected[4];
    for (u32 i = 0; i < 16; i++) {
      left[i] = lefts[shape < 8 ? shape : (shape * 7 + i * (shape >> 3)) % 8];
      right[i] = rights[shape < 8 ? 5 : (shape * 5 + i * (shape >> 2)) % 6];
    }
    for (u32 lane = 0; lane < 4; lane++) {
      start[lane] = expected[lane] = (i32)(shape * 0x01234567u + lane);
      for (u32 i = 4 * lane; i < 4 * lane + 4; i++) expected[lane] = (i32)((u32)expected[lane] + (u32)(left[i] * right[i]));
    }
    wasm_v128_store(sums, dot(wasm_v128_load(left), wasm_v128_load(right), wasm_v128_load(start)));
    for (u32 lane = 0; lane < 4; lane++)
      if (sums[lane] != expected[lane]) return 0;
  }
#endif
  return 1;
}
