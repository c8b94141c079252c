// The source of a quantised row: silu(gate) * up in Q14. A row holds the gates, then the ups.

@group(0) @binding(0) var<storage, read> rows: array<i32>;
@group(0) @binding(1) var<storage, read> sigmoid_table: array<i32>;

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
  let gate = rows[row * 2u * COLUMNS + i];
  let up = rows[row * 2u * COLUMNS + COLUMNS + i];
  return multiply_shift(multiply_shift(gate, sigmoid(gate), 15u), up, 14u);
}

fn prepare(row: u32, thread: u32) {}

fn finish(scale: u32) -> u32 {
  return times_power_of_two(scale, -14);
}
