// The source of a quantised row: values in fixed point.

@group(0) @binding(2) var<storage, read> rows: array<i32>;

fn value_at(row: u32, i: u32) -> i32 {
  let value = rows[row * row_shape.columns + i];
  if (row_shape.positive == 1u) { return max(0, value); }
  return value;
}

fn prepare(row: u32, thread: u32) {}

fn finish(scale: u32) -> u32 {
  return times_power_of_two(scale, -row_shape.fraction);
}
