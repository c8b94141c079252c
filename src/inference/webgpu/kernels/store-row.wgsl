// A quantised row goes to memory, for `multiply`.

// Per row the upper plane, then the lower one.
@group(0) @binding(4) var<storage, read_write> planes: array<u32>;
@group(0) @binding(5) var<storage, read_write> row_scales: array<u32>;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let row = slice.x + group.x;
  let words = row_shape.groups * 8u;
  let scale = begin_row(row, local.x);
  if (local.x == 0u) { row_scales[row] = scale; }
  for (var word = local.x; word < words; word += THREADS) {
    let both = quantised(row, word);
    planes[row * words * 2u + word] = both.x;
    planes[row * words * 2u + words + word] = both.y;
  }
}
