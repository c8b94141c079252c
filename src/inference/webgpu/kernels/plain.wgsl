// Quantises rows of activations in Q14, one per workgroup.

@group(0) @binding(2) var<storage, read> rows: array<i32>;

fn value_at(row: u32, i: u32) -> i32 {
  return rows[row * COLUMNS + i];
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let scale = quantise_row(group.x, local.x);
  if (local.x == 0u) { row_scales[group.x] = times_power_of_two(scale, -14); }
}
