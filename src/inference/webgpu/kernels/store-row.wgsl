// A quantised row goes to memory, for `multiply`.

// Per row the upper plane, then the lower one; or the values, four where a word of each plane would be.
@group(0) @binding(4) var<storage, read_write> planes: array<u32>;
@group(0) @binding(5) var<storage, read_write> row_scales: array<u32>;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let row = slice.start + group.x;
  let words = row_shape.groups * 8u;
  let scale = begin_row(row, local.x);
  if (local.x == 0u) { row_scales[row] = scale; }
  for (var word = local.x; word < words; word += THREADS) {
    let both = quantised(row, word);
    if (row_shape.whole == 1u) {
      for (var byte = 0u; byte < 4u; byte += 1u) {
        let high = i32(both.x << (24u - 8u * byte)) >> 24u;
        planes[(row * words + word) * 4u + byte] = u32(high << 7u) | ((both.y >> (8u * byte)) & 127u);
      }
    } else {
      planes[row * words * 2u + word] = both.x;
      planes[row * words * 2u + words + word] = both.y;
    }
  }
}
