// Embeddings of tokens into the residual stream.

override COLUMNS: u32;

@group(0) @binding(0) var<storage, read> tokens: array<u32>;
// Two values of 16 bits in a word; rows follow each other without padding.
@group(0) @binding(1) var<storage, read> embeddings: array<u32>;
@group(0) @binding(2) var<storage, read> embedding_scales: array<u32>;
@group(0) @binding(3) var<storage, read_write> residual: array<i32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.x;
  if (i >= COLUMNS) { return; }
  let token = tokens[id.y];
  let place = token * COLUMNS + i;
  let value = i32(embeddings[place >> 1u] << (16u - 16u * (place & 1u))) >> 16u;
  residual[id.y * COLUMNS + i] = apply_scale(value, embedding_scales[token], 16);
}
