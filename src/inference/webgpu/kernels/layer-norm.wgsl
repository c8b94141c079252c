// The source of a quantised row: LayerNorm of the residual stream.

@group(0) @binding(2) var<storage, read> rows: array<i32>;
// Two factors of 16 bits in a word.
@group(0) @binding(3) var<storage, read> factors: array<u32>;
@group(0) @binding(10) var<storage, read> offsets: array<i32>;

var<workgroup> shared_peak: atomic<u32>;
var<workgroup> shared_sum: atomic<i32>;
var<workgroup> shared_centred: atomic<u32>;
var<workgroup> shared_high: atomic<u32>;
var<workgroup> shared_low: atomic<u32>;
var<private> first: i32;
var<private> second: i32;
var<private> sum: i32;
var<private> norm_scale: u32;

// A value less the mean, times the width.
fn centred(row: u32, i: u32) -> i32 {
  let columns = row_shape.columns;
  return round_shift(rows[row * columns + i], first) * i32(columns) - sum;
}

fn value_at(row: u32, i: u32) -> i32 {
  let factor = i32(factors[i >> 1u] << (16u - 16u * (i & 1u))) >> 16u;
  return apply_scale(round_shift(centred(row, i), second) * factor, norm_scale, 16) + offsets[i];
}

fn prepare(row: u32, thread: u32) {
  let columns = row_shape.columns;
  var peak = 0u;
  for (var i = thread; i < columns; i += THREADS) { peak = max(peak, magnitude(rows[row * columns + i])); }
  atomicMax(&shared_peak, peak);
  workgroupBarrier();
  first = max(0, bits(atomicLoad(&shared_peak)) + bits(columns) - 30);
  var part = 0;
  for (var i = thread; i < columns; i += THREADS) { part += round_shift(rows[row * columns + i], first); }
  atomicAdd(&shared_sum, part);
  workgroupBarrier();
  sum = atomicLoad(&shared_sum);
  peak = 0u;
  for (var i = thread; i < columns; i += THREADS) { peak = max(peak, magnitude(centred(row, i))); }
  atomicMax(&shared_centred, peak);
  workgroupBarrier();
  second = max(0, bits(atomicLoad(&shared_centred)) - 15);
  var high = 0u;
  var low = 0u;
  for (var i = thread; i < columns; i += THREADS) {
    let value = round_shift(centred(row, i), second);
    let square = u32(value * value);
    high += square >> 16u;
    low += square & 0xffffu;
  }
  atomicAdd(&shared_high, high);
  atomicAdd(&shared_low, low);
  workgroupBarrier();
  let down = 2 * (first + second);
  var offset = 0u;
  if (down <= 31) { offset = row_shape.epsilon >> u32(down); }
  low = atomicLoad(&shared_low);
  high = atomicLoad(&shared_high) + offset + (low >> 16u);
  let root = multiply_scales(row_shape.root_width, reciprocal_root(high, low & 0xffffu));
  norm_scale = times_power_of_two(root, -row_shape.fraction);
}

fn finish(scale: u32) -> u32 {
  return times_power_of_two(scale, -16);
}
