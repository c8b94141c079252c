// silu(gate) * up of one row per workgroup, quantised. A row holds the gates, then the ups.

@group(0) @binding(2) var<storage, read> pairs: array<i32>;
@group(0) @binding(3) var<storage, read> sigmoid_table: array<i32>;

fn sigmoid(x: i32) -> i32 {
  let size = magnitude(x);
  let place = size >> 8u;
  var value = 32768;
  if (place < 1024u) {
    let a = sigmoid_table[place];
    value = a + (((sigmoid_table[place + 1u] - a) * i32(size & 0xffu) + 128) >> 8u);
  }
  return select(value, 32768 - value, x < 0);
}

fn value_at(row: u32, i: u32) -> i32 {
  let gate = pairs[row * 2u * COLUMNS + i];
  let up = pairs[row * 2u * COLUMNS + COLUMNS + i];
  return multiply_shift(multiply_shift(gate, sigmoid(gate), 15u), up, 14u);
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let scale = quantise_row(group.x, local.x);
  if (local.x == 0u) { row_scales[group.x] = times_power_of_two(scale, -14); }
}
