// A quantised row goes to memory, for `multiply`.

@group(0) @binding(4) var<storage, read_write> planes: array<u32>;
@group(0) @binding(5) var<storage, read_write> row_scales: array<u32>;

// Per row the upper plane, then the lower one.
fn store_word(row: u32, word: u32, high: u32, low: u32) {
  let words = row_shape.groups * 8u;
  planes[row * words * 2u + word] = high;
  planes[row * words * 2u + words + word] = low;
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let row = slice.x + group.x;
  let scale = quantise_row(row, local.x);
  if (local.x == 0u) { row_scales[row] = scale; }
}
