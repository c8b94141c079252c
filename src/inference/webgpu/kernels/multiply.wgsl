// A matrix times quantised rows, without memory of the workgroup and without dot products of bytes, which some devices only imitate:
// a thread computes four outputs of four rows in registers. There is room for rows up to a multiple of 32 in `planes`.

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let last = matrix_shape.outputs - 1u;
  let place = place_of(workgroup);
  let n = place.x * 256u + local.x + vec4u(0u, 64u, 128u, 192u);
  let row = place.y * 4u;
  let b0 = weights_of(min(n.x, last));
  let b1 = weights_of(min(n.y, last));
  let b2 = weights_of(min(n.z, last));
  let b3 = weights_of(min(n.w, last));
  let words = matrix_shape.groups * 8u;
  // Where the four rows begin: a word for each value.
  let begin = vec4u(row, row + 1u, row + 2u, row + 3u) * 4u * words;
  // Of an output the sums of four rows: multiples of 128, and what is below.
  var high = array<vec4i, 4>();
  var low = array<vec4i, 4>();
  for (var group = 0u; group < matrix_shape.groups; group += 1u) {
    var s0 = vec4i();
    var s1 = vec4i();
    var s2 = vec4i();
    var s3 = vec4i();
    for (var k = group * 8u; k < group * 8u + 8u; k += 1u) {
      let w = vec4u(weight_word(b0, k), weight_word(b1, k), weight_word(b2, k), weight_word(b3, k));
      let at = begin + 4u * k;
      // Byte after byte, written out: of every fourth value the weights of four outputs, and those of four rows.
      var x = vec4i(w << vec4u(24u)) >> vec4u(24u);
      var y = vec4u(planes[at.x], planes[at.y], planes[at.z], planes[at.w]);
      s0 += x.x * vec4i(y);
      s1 += x.y * vec4i(y);
      s2 += x.z * vec4i(y);
      s3 += x.w * vec4i(y);
      x = vec4i(w << vec4u(16u)) >> vec4u(24u);
      y = vec4u(planes[at.x + 1u], planes[at.y + 1u], planes[at.z + 1u], planes[at.w + 1u]);
      s0 += x.x * vec4i(y);
      s1 += x.y * vec4i(y);
      s2 += x.z * vec4i(y);
      s3 += x.w * vec4i(y);
      x = vec4i(w << vec4u(8u)) >> vec4u(24u);
      y = vec4u(planes[at.x + 2u], planes[at.y + 2u], planes[at.z + 2u], planes[at.w + 2u]);
      s0 += x.x * vec4i(y);
      s1 += x.y * vec4i(y);
      s2 += x.z * vec4i(y);
      s3 += x.w * vec4i(y);
      x = vec4i(w) >> vec4u(24u);
      y = vec4u(planes[at.x + 3u], planes[at.y + 3u], planes[at.z + 3u], planes[at.w + 3u]);
      s0 += x.x * vec4i(y);
      s1 += x.y * vec4i(y);
      s2 += x.z * vec4i(y);
      s3 += x.w * vec4i(y);
    }
    let sums = array<vec4i, 4>(s0, s1, s2, s3);
    for (var i = 0u; i < 4u; i += 1u) {
      let multiplier = multiplier_of(min(n[i], last), group);
      high[i] += multiplier * (sums[i] >> vec4u(7u));
      low[i] += multiplier * (sums[i] & vec4i(127));
    }
  }
  for (var i = 0u; i < 16u; i += 1u) {
    let to_row = row + (i & 3u);
    let output = n[i >> 2u];
    if (to_row < slice.rows && output <= last) {
      store_result(to_row, output, high[i >> 2u][i & 3u], low[i >> 2u][i & 3u], row_scales[to_row]);
    }
  }
}
