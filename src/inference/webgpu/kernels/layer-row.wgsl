// The source of a quantised row, three in one, so that there are fewer kernels to compile: values in fixed point; RMSNorm of
// the residual stream; silu(gate) * up in Q14, where a row holds the gates, then the ups.

const PLAIN: u32 = 0u;
const NORM: u32 = 1u;
const GATE: u32 = 2u;

@group(0) @binding(2) var<storage, read> rows: array<i32>;
// NORM: two factors of 16 bits in a word. GATE: sigmoid's table.
@group(0) @binding(3) var<storage, read> table: array<i32>;

var<workgroup> shared_peak: atomic<u32>;
var<workgroup> shared_high: atomic<u32>;
var<workgroup> shared_low: atomic<u32>;
var<private> down: i32;

fn value_at(row: u32, i: u32) -> i32 {
  let columns = row_shape.columns;
  var at = row * columns + i;
  if (row_shape.source == GATE) { at += row * columns; }
  let value = round_shift(rows[at], down);
  if (row_shape.source == NORM) { return value * ((table[i >> 1u] << (16u - 16u * (i & 1u))) >> 16u); }
  if (row_shape.source == GATE) {
    return multiply_shift(multiply_shift(value, sigmoid(value), 15u), rows[at + columns], 14u);
  }
  if (row_shape.positive == 1u) { return max(0, value); }
  return value;
}

fn prepare(row: u32, thread: u32) {
  if (row_shape.source != NORM) { return; }
  let columns = row_shape.columns;
  var peak = 0u;
  for (var i = thread; i < columns; i += THREADS) { peak = max(peak, magnitude(rows[row * columns + i])); }
  atomicMax(&shared_peak, peak);
  workgroupBarrier();
  down = max(0, bits(atomicLoad(&shared_peak)) - 15);
  var high = 0u;
  var low = 0u;
  for (var i = thread; i < columns; i += THREADS) {
    let value = round_shift(rows[row * columns + i], down);
    let square = u32(value * value);
    high += square >> 16u;
    low += square & 0xffffu;
  }
  atomicAdd(&shared_high, high);
  atomicAdd(&shared_low, low);
}

fn finish(scale: u32) -> u32 {
  var whole = scale;
  if (row_shape.source == NORM) {
    var offset = 0u;
    if (2 * down <= 31) { offset = row_shape.epsilon >> u32(2 * down); }
    let low = atomicLoad(&shared_low) + (offset & 0xffffu);
    let high = atomicLoad(&shared_high) + (offset >> 16u) + (low >> 16u);
    whole = multiply_scales(multiply_scales(scale, row_shape.root_width), reciprocal_root(high, low & 0xffffu));
  }
  return times_power_of_two(whole, -row_shape.fraction);
}
