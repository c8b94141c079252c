/* The forward pass of a sentence encoder for a batch of texts. place-encoder.ts writes the structures. */
#include "attention.h"
#include "layer-norm.h"
#include "pack.h"
#include "product.h"
#include "rows.h"
#include "sparse.h"

typedef struct {
  /* Values of the residual stream before and after, and of the feed-forward part. */
  u32 input, width, inner;
  u32 heads, head_size, score_scale;
  LayerNorm attention_norm;
  const Matrix *query, *key, *value, *output;
  /* Or null. */
  const Matrix *bridge;
  LayerNorm feed_norm;
  const Matrix *up;
  const Columns *down;
} Layer;

/* Where a row of the batch stands: its text has `count` positions, whose keys and values begin at `history`. */
typedef struct {
  u32 history, position, count;
} Place;

typedef struct {
  /* Rows that are taken through a product together, and through a sparse one; positions of `history`. */
  u32 chunk, sparse_chunk, positions;
  /* Values of a row of `x`. */
  u32 pitch;
  const i32 *exp2_table, *sigmoid_table;
  i32 *x;
  const Place *places;
  /* i16[rows][heads][head size, rounded up to 2], and their scales. */
  i16 *queries;
  u32 *query_scales;
  History history;
  /* i32[chunk][...]. */
  i32 *query, *key, *value, *inner;
  u8 *activations;
  u32 *scales;
  /* Of each row of a sparse chunk: half as many as the widest feed-forward part has values, their count, its scale. */
  Pair *pairs;
  u32 *pair_counts, *pair_scales;
  /* For one text. */
  i32 *scores;
  i16 *weights;
  /* A panel of 16-bit words; a row of the widest kind, twice. */
  u8 *room;
  i32 *wide;
} Session;

/* Heads are stored with an even number of values: an odd one gets a zero. */
INLINE u32 even(u32 size) { return (size + 1) & ~1u; }

static Batch normed(const Session *s, const i32 *x, u32 width, const LayerNorm *norm, u32 count) {
  Batch batch = {s->activations, s->scales, 2 * pitch_of(width), count};
  for (u32 row = 0; row < count; row++)
    s->scales[row] = layer_norm_row(x + row * s->pitch, width, norm, s->wide, s->activations + row * batch.pitch);
  return batch;
}

/* Quantises rows of i32[pitch], zeros behind their width. */
static Batch quantised(const Session *s, const i32 *rows, u32 pitch, u32 width, i32 fraction, u32 count) {
  Batch batch = {s->activations, s->scales, 2 * pitch_of(width), count};
  for (u32 row = 0; row < count; row++)
    s->scales[row] = times_power_of_two(
        quantise_row(rows + row * pitch, pitch_of(width), s->activations + row * batch.pitch), -fraction);
  return batch;
}

INLINE void product(const Session *s, const Matrix *matrix, const Batch *batch, i32 *out, u32 pitch) {
  multiply(matrix, batch, 0, matrix->panels, ACTIVATION_FRACTION, out, pitch, 0, s->room);
}

INLINE void to_stream(const Session *s, const Matrix *matrix, Batch batch, i32 *x, u32 is_added) {
  multiply(matrix, &batch, 0, matrix->panels, RESIDUAL_FRACTION, x, s->pitch, is_added, s->room);
}

static History history_of(const Session *s, u32 head, u32 size, u32 from) {
  u32 positions = head * s->positions + from;
  History history = s->history;
  history.keys += positions * size;
  history.values += positions * dims_of(size);
  history.key_scales += positions;
  history.value_scales += positions;
  return history;
}

/* Quantises a head. `head` need not be aligned. */
INLINE u32 keep_head(const i32 *head, u32 size, i16 *out) {
  if (size % 8 != 0) {
    u32 scale = times_power_of_two(quantise_head(head, size, out), -ACTIVATION_FRACTION);
    if (size & 1) out[size] = 0;
    return scale;
  }
  Range range = range_of(largest_of(head, size));
  for (u32 i = 0; i < size; i += 8) {
    v128_t first = quantise4(wasm_v128_load(head + i), range), second = quantise4(wasm_v128_load(head + i + 4), range);
    wasm_v128_store(out + i, wasm_i16x8_narrow_i32x4(first, second));
  }
  return times_power_of_two(range.scale, -ACTIVATION_FRACTION);
}

/* Queries, keys and values of rows `first` to `first + count - 1`. */
static void keep_chunk(const Session *s, const Layer *layer, u32 first, u32 count) {
  u32 size = layer->head_size, stored = even(size), pitch = pitch_of(layer->heads * size);
  Batch batch = normed(s, s->x + first * s->pitch, layer->input, &layer->attention_norm, count);
  product(s, layer->query, &batch, s->query, pitch);
  product(s, layer->key, &batch, s->key, pitch);
  product(s, layer->value, &batch, s->value, pitch);
  i16 *key = (i16 *)s->room, *value = key + stored;
  for (u32 head = 0; head < layer->heads; head++)
    for (u32 row = 0; row < count; row++) {
      Place place = s->places[first + row];
      History history = history_of(s, head, stored, place.history);
      u32 from = row * pitch + head * size, at = (first + row) * layer->heads + head;
      s->query_scales[at] =
          multiply_scales(keep_head(s->query + from, size, s->queries + at * stored), layer->score_scale);
      history.key_scales[place.position] = keep_head(s->key + from, size, key);
      history.value_scales[place.position] = keep_head(s->value + from, size, value);
      remember(&history, stored, place.position, key, value);
    }
}

/* Attention of rows over their texts, into i32[count][pitch of all heads]. */
static void attend_chunk(const Session *s, const Layer *layer, u32 first, u32 count, i32 *mixed) {
  u32 size = layer->head_size, stored = even(size), pitch = pitch_of(layer->heads * size);
  for (u32 row = 0; row < count; row++) {
    Place place = s->places[first + row];
    for (u32 head = 0; head < layer->heads; head++) {
      History history = history_of(s, head, stored, place.history);
      u32 at = (first + row) * layer->heads + head;
      i32 *out = mixed + row * pitch + head * size;
      attend(s->queries + at * stored, s->query_scales[at], &history, stored, place.count, s->exp2_table, s->scores,
             s->weights, size & 1 ? s->wide : out);
      if (size & 1)
        for (u32 i = 0; i < size; i++) out[i] = s->wide[i];
    }
    clear_from(mixed + row * pitch, layer->heads * size);
  }
}

INLINE u32 chunk_at(u32 chunk, u32 first, u32 rows) { return rows - first < chunk ? rows - first : chunk; }

/* The feed-forward part of `rows` rows, a sparse chunk at most. */
static void feed_rows(const Session *s, const Layer *layer, i32 *x, u32 rows) {
  u32 pitch = pitch_of(layer->inner);
  for (u32 first = 0; first < rows; first += s->chunk) {
    u32 count = chunk_at(s->chunk, first, rows);
    Batch batch = normed(s, x + first * s->pitch, layer->width, &layer->feed_norm, count);
    product(s, layer->up, &batch, s->inner, pitch);
    for (u32 row = 0; row < count; row++) {
      i32 *inner = s->inner + row * pitch;
      clear_from(inner, layer->inner);
      u32 at = first + row, scale = list_row(inner, pitch, s->pairs + at * (pitch / 2), s->pair_counts + at);
      s->pair_scales[at] = times_power_of_two(scale, -ACTIVATION_FRACTION);
    }
  }
  add_sparse(layer->down, s->pairs, pitch / 2, s->pair_counts, s->pair_scales, rows, RESIDUAL_FRACTION, x, s->pitch);
}

/* Takes `rows` rows of texts that are there as a whole through one layer. */
EXPORT("encodeLayer")
void encode_layer(const Session *s, const Layer *layer, u32 rows) {
  for (u32 first = 0; first < rows; first += s->chunk)
    keep_chunk(s, layer, first, chunk_at(s->chunk, first, rows));
  for (u32 first = 0; first < rows; first += s->chunk) {
    u32 count = chunk_at(s->chunk, first, rows), mixed = layer->heads * layer->head_size;
    i32 *x = s->x + first * s->pitch;
    attend_chunk(s, layer, first, count, s->query);
    if (layer->bridge) {
      to_stream(s, layer->bridge, quantised(s, x, s->pitch, layer->input, RESIDUAL_FRACTION, count), x, 0);
      for (u32 row = 0; row < count; row++) clear_from(x + row * s->pitch, layer->width);
    }
    to_stream(s, layer->output, quantised(s, s->query, pitch_of(mixed), mixed, ACTIVATION_FRACTION, count), x, 1);
  }
  for (u32 first = 0; first < rows; first += s->sparse_chunk)
    feed_rows(s, layer, s->x + first * s->pitch, chunk_at(s->sparse_chunk, first, rows));
}

/* Row `row` of the batch becomes an embedding, i16[size], with its place, i16[size] in Q15. */
EXPORT("embedToken")
void embed_token(const Session *s, u32 row, const i16 *values, const i16 *place, u32 size, u32 scale) {
  i32 *x = s->x + row * s->pitch;
  for (u32 i = 0; i < size; i += 4) {
    v128_t value = apply_scale4(wasm_i32x4_load16x4(values + i), scale, RESIDUAL_FRACTION);
    v128_t offset = wasm_i32x4_shl(wasm_i32x4_load16x4(place + i), RESIDUAL_FRACTION - UNIT_FRACTION);
    wasm_v128_store(x + i, wasm_i32x4_add(value, offset));
  }
  clear_from(x, size);
}

/* The mean of `count` rows, quantised. */
static u32 mean_row(const Session *s, const i32 *x, u32 width, u32 count, u8 *out) {
  u32 largest = 0, pitch = pitch_of(width);
  for (u32 row = 0; row < count; row++) {
    u32 own = largest_of(x + row * s->pitch, pitch);
    largest = own > largest ? own : largest;
  }
  i32 bits = larger(0, bit_length(largest) + bit_length(count) - 31);
  for (u32 i = 0; i < pitch; i += 4) {
    v128_t sum = wasm_i32x4_const_splat(0);
    for (u32 row = 0; row < count; row++)
      sum = wasm_i32x4_add(sum, shift4(wasm_v128_load(x + row * s->pitch + i), bits));
    wasm_v128_store(s->wide + i, sum);
  }
  u32 scale = times_power_of_two(quantise_row(s->wide, pitch, out), bits - RESIDUAL_FRACTION);
  return multiply_scales(scale, reciprocal(count));
}

/* tanh of a row in Q14, into Q15. */
static void tanh_row(i32 *row, u32 size, const i32 *table) {
  const i32 most = 1 << 29;
  for (u32 i = 0; i < size; i++) {
    i32 x = row[i] > most ? most : row[i] < -most ? -most : row[i];
    row[i] = 2 * sigmoid(2 * x, table) - (1 << UNIT_FRACTION);
  }
}

/* A row in Q15 divided by its length. */
static void unit_row(const i32 *row, u32 size, i16 *out) {
  u32 high = 0, low = 0;
  for (u32 i = 0; i < size; i++) {
    u32 square = (u32)(row[i] * row[i]);
    high += square >> 16;
    low += square & 0xffff;
  }
  u32 root = reciprocal_root(high + (low >> 16), low & 0xffff);
  for (u32 i = 0; i < size; i++) {
    i32 value = apply_scale(row[i], root, UNIT_FRACTION);
    out[i] = (i16)(value > 32767 ? 32767 : value < -32767 ? -32767 : value);
  }
}

/*
 * The texts' vectors, i16[texts][size], from their rows of i32[width] after the last layer. Each text begins behind the one
 * before.
 */
EXPORT("pool")
void pool(const Session *s, const Matrix *matrix, u32 width, u32 size, u32 texts, i16 *out) {
  u32 row = 0, pitch = pitch_of(size);
  Batch batch = {s->activations, s->scales, 2 * pitch_of(width), 0};
  for (u32 first = 0; first < texts; first += batch.count) {
    batch.count = chunk_at(s->chunk, first, texts);
    for (u32 text = 0; text < batch.count; text++) {
      u32 count = s->places[row].count;
      s->scales[text] = mean_row(s, s->x + row * s->pitch, width, count, s->activations + text * batch.pitch);
      row += count;
    }
    product(s, matrix, &batch, s->inner, pitch);
    for (u32 text = 0; text < batch.count; text++) {
      tanh_row(s->inner + text * pitch, size, s->sigmoid_table);
      unit_row(s->inner + text * pitch, size, out + (first + text) * size);
    }
  }
}
