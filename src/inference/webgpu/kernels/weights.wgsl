// Reading weights, and dot products of groups of 32.

fn dot4(a: vec4u, b: vec4u) -> i32 {
  return dot4I8Packed(a.x, b.x) + dot4I8Packed(a.y, b.y) + dot4I8Packed(a.z, b.z) + dot4I8Packed(a.w, b.w);
}

// Sign-extends the low halves of four bytes.
fn nibbles(word: u32) -> u32 {
  let low = word & 0x0f0f0f0fu;
  let sign = low & 0x08080808u;
  return low | (sign << 1u) | (sign << 2u) | (sign << 3u) | (sign << 4u);
}

// The 32 weights of a group, in the order of activations' planes.
struct Group {
  a: vec4u,
  b: vec4u,
}

fn group_at(place: u32) -> Group {
  if (WEIGHT_BITS == 8u) { return Group(weights[place * 2u], weights[place * 2u + 1u]); }
  let packed = weights[place];
  return Group(
    vec4u(nibbles(packed.x), nibbles(packed.x >> 4u), nibbles(packed.y), nibbles(packed.y >> 4u)),
    vec4u(nibbles(packed.z), nibbles(packed.z >> 4u), nibbles(packed.w), nibbles(packed.w >> 4u)),
  );
}

fn multiplier_at(place: u32) -> i32 {
  return i32((multipliers[place >> 2u] >> (8u * (place & 3u))) & 0xffu);
}
