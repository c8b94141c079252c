// Every operation of arithmetic.wgsl on every pair of a list of edge values: a part of the known-answer test.

const OPERATIONS: u32 = 12u;

struct Shape {
  // Edge values.
  count: u32,
}

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> edges: array<i32>;
@group(0) @binding(9) var<storage, read_write> results: array<i32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let count = shape.count;
  let pair = (slice.start + group.x) * 64u + local.x;
  if (pair >= count * count) { return; }
  let a = edges[pair / count];
  let b = edges[pair % count];
  let x = bitcast<u32>(a);
  let y = bitcast<u32>(b);
  // Amounts of shifts and exponents from -40 to 40.
  let n = b % 41;
  let scale = pack_scale(x | 0x8000u, n);
  let other = pack_scale(y | 0x8000u, -n);
  let at = pair * OPERATIONS;
  results[at] = round_shift(a, n);
  results[at + 1u] = shift(a, max(n, -31));
  results[at + 2u] = multiply_shift(a, b, 14u);
  results[at + 3u] = multiply_shift(a, b, 15u);
  results[at + 4u] = i32(square_root(x)) ^ bits(y);
  results[at + 5u] = i32(scale_from(x, n));
  results[at + 6u] = i32(multiply_scales(scale, other));
  results[at + 7u] = apply_scale(a, other, 14);
  results[at + 8u] = apply_scale(a, other, -n);
  results[at + 9u] = i32(reciprocal(x | 1u));
  results[at + 10u] = i32(reciprocal_root(x, y & 0xffffu));
  results[at + 11u] = dot4I8Packed(x, y) + a * b + i32(magnitude(a));
}
