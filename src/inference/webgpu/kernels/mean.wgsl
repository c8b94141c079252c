// The source of a quantised row: the mean of all rows of the residual stream.

@group(0) @binding(2) var<storage, read> rows: array<i32>;

var<workgroup> shared_peak: atomic<u32>;
var<private> down: i32;

fn value_at(row: u32, i: u32) -> i32 {
  var sum = 0;
  for (var at = 0u; at < slice.rows; at += 1u) { sum += round_shift(rows[at * row_shape.columns + i], down); }
  return sum;
}

fn prepare(row: u32, thread: u32) {
  var peak = 0u;
  for (var i = thread; i < slice.rows * row_shape.columns; i += THREADS) { peak = max(peak, magnitude(rows[i])); }
  atomicMax(&shared_peak, peak);
  workgroupBarrier();
  down = max(0, bits(atomicLoad(&shared_peak)) + bits(slice.rows) - 31);
}

fn finish(scale: u32) -> u32 {
  return multiply_scales(times_power_of_two(scale, down - row_shape.fraction), reciprocal(slice.rows));
}
