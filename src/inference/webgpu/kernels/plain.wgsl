// The source of a quantised row: activations in Q14.

@group(0) @binding(0) var<storage, read> rows: array<i32>;

fn value_at(row: u32, i: u32) -> i32 {
  return rows[row * COLUMNS + i];
}

fn prepare(row: u32, thread: u32) {}

fn finish(scale: u32) -> u32 {
  return times_power_of_two(scale, -14);
}
