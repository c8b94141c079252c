// The source of a quantised row: silu(gate) * up in Q14. A row holds the gates, then the ups.

@group(0) @binding(2) var<storage, read> rows: array<i32>;

fn value_at(row: u32, i: u32) -> i32 {
  let at = row * 2u * row_shape.columns + i;
  let gate = rows[at];
  let up = rows[at + row_shape.columns];
  return multiply_shift(multiply_shift(gate, sigmoid(gate), 15u), up, 14u);
}

fn prepare(row: u32, thread: u32) {}

fn finish(scale: u32) -> u32 {
  return times_power_of_two(scale, -row_shape.fraction);
}
