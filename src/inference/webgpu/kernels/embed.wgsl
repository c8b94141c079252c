// Embeddings of tokens into the residual stream, from a part of the table.

struct Shape {
  columns: u32,
  // Tokens of this part.
  first: u32,
  count: u32,
  // 1 adds a vector per position.
  placed: u32,
}

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> tokens: array<u32>;
// Two values of 16 bits in a word; rows follow each other without padding.
@group(0) @binding(2) var<storage, read> embeddings: array<u32>;
@group(0) @binding(3) var<storage, read> embedding_scales: array<u32>;
// Like the embeddings, in Q15, per position.
@group(0) @binding(4) var<storage, read> places: array<u32>;
@group(0) @binding(5) var<storage, read_write> residual: array<i32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let place = place_of(group);
  let i = place.x * 64u + local.x;
  let row = place.y;
  let token = tokens[row] - shape.first;
  if (i >= shape.columns || token >= shape.count) { return; }
  let at = token * shape.columns + i;
  let value = i32(embeddings[at >> 1u] << (16u - 16u * (at & 1u))) >> 16u;
  var sum = apply_scale(value, embedding_scales[token], 16);
  if (shape.placed == 1u) {
    let of_place = (slice.first + row) * shape.columns + i;
    sum += (i32(places[of_place >> 1u] << (16u - 16u * (of_place & 1u))) >> 16u) * 2;
  }
  residual[row * shape.columns + i] = sum;
}
