// A quantised row goes to memory, for `multiply`.

@group(0) @binding(2) var<storage, read_write> planes: array<u32>;
@group(0) @binding(3) var<storage, read_write> row_scales: array<u32>;

// Per row the upper plane, then the lower one.
fn store_word(row: u32, word: u32, high: u32, low: u32) {
  let words = GROUPS * 8u;
  planes[row * words * 2u + word] = high;
  planes[row * words * 2u + words + word] = low;
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let scale = quantise_row(group.x, local.x);
  if (local.x == 0u) { row_scales[group.x] = scale; }
}
