// The source of a quantised row: RMSNorm of the residual stream.

@group(0) @binding(2) var<storage, read> rows: array<i32>;
// Two factors of 16 bits in a word.
@group(0) @binding(3) var<storage, read> factors: array<u32>;

var<workgroup> shared_peak: atomic<u32>;
var<workgroup> shared_high: atomic<u32>;
var<workgroup> shared_low: atomic<u32>;
var<private> down: i32;

fn lowered(row: u32, i: u32) -> i32 {
  return round_shift(rows[row * row_shape.columns + i], down);
}

fn value_at(row: u32, i: u32) -> i32 {
  let factor = i32(factors[i >> 1u] << (16u - 16u * (i & 1u))) >> 16u;
  return lowered(row, i) * factor;
}

fn prepare(row: u32, thread: u32) {
  let columns = row_shape.columns;
  var peak = 0u;
  for (var i = thread; i < columns; i += THREADS) { peak = max(peak, magnitude(rows[row * columns + i])); }
  atomicMax(&shared_peak, peak);
  workgroupBarrier();
  down = max(0, bits(atomicLoad(&shared_peak)) - 15);
  var high = 0u;
  var low = 0u;
  for (var i = thread; i < columns; i += THREADS) {
    let value = lowered(row, i);
    let square = u32(value * value);
    high += square >> 16u;
    low += square & 0xffffu;
  }
  atomicAdd(&shared_high, high);
  atomicAdd(&shared_low, low);
}

fn finish(scale: u32) -> u32 {
  var offset = 0u;
  if (2 * down <= 31) { offset = row_shape.epsilon >> u32(2 * down); }
  let low = atomicLoad(&shared_low) + (offset & 0xffffu);
  let high = atomicLoad(&shared_high) + (offset >> 16u) + (low >> 16u);
  let whole = multiply_scales(multiply_scales(scale, row_shape.root_width), reciprocal_root(high, low & 0xffffu));
  return times_power_of_two(whole, -row_shape.fraction);
}
