// A matrix, or the part of one that fits a buffer, and what is done with its products.
//
// Sixteen rows of weights stand side by side: word k of row n is at ((n / 16) * words of a row + k) * 16 + n % 16, so that
// neighbouring threads, which compute neighbouring outputs, read neighbouring words. Multipliers likewise, four of a row in a word.

override WEIGHT_BITS: u32 = 8u;

struct MatrixShape {
  // Outputs of this part.
  outputs: u32,
  groups: u32,
  // Place of the part's first output in a row of results.
  first: u32,
  // Values of a row of results.
  pitch: u32,
  // Bits of fraction of results.
  fraction: i32,
  // 0 stores, 1 adds to what is there.
  adds: u32,
  // 1 adds a bias per output.
  biased: u32,
}

@group(0) @binding(1) var<uniform> matrix_shape: MatrixShape;
@group(0) @binding(6) var<storage, read> weights: array<u32>;
@group(0) @binding(7) var<storage, read> multipliers: array<u32>;
// Scales, then biases.
@group(0) @binding(8) var<storage, read> weight_scales: array<u32>;
@group(0) @binding(9) var<storage, read_write> results: array<i32>;

// Sign-extends the low halves of four bytes.
fn nibbles(word: u32) -> u32 {
  let low = word & 0x0f0f0f0fu;
  let sign = low & 0x08080808u;
  return low | (sign << 1u) | (sign << 2u) | (sign << 3u) | (sign << 4u);
}

// Where the words of an output begin.
fn weights_of(n: u32) -> u32 {
  return (n >> 4u) * matrix_shape.groups * WEIGHT_BITS * 16u + (n & 15u);
}

// Word `k` of an output's weights, four of them in the order of activations' planes.
fn weight_word(base: u32, k: u32) -> u32 {
  if (WEIGHT_BITS == 8u) { return weights[base + k * 16u]; }
  return nibbles(weights[base + (k >> 1u) * 16u] >> (4u * (k & 1u)));
}

fn multiplier_of(n: u32, group: u32) -> i32 {
  let at = ((n >> 4u) * ((matrix_shape.groups + 3u) >> 2u) + (group >> 2u)) * 16u + (n & 15u);
  return i32((multipliers[at] >> (8u * (group & 3u))) & 0xffu);
}

// Takes the sums of both planes to a result.
fn store_result(row: u32, n: u32, high: i32, low: i32, row_scale: u32) {
  let scale = times_power_of_two(multiply_scales(row_scale, weight_scales[n]), 7);
  var value = apply_scale(high + (low >> 7u), scale, matrix_shape.fraction);
  if (matrix_shape.biased == 1u) { value += i32(weight_scales[matrix_shape.outputs + n]); }
  let at = row * matrix_shape.pitch + matrix_shape.first + n;
  if (matrix_shape.adds == 1u) { value += results[at]; }
  results[at] = value;
}
