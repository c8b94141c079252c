// A matrix times quantised rows, without memory of the workgroup: a thread computes two outputs of four rows in registers.
// There is room for rows up to a multiple of 32 in `planes`.

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let last = matrix_shape.outputs - 1u;
  let n = (slice.x + workgroup.x) * 128u + local.x;
  let m = n + 64u;
  let row = (slice.y + workgroup.y) * 4u;
  let n_base = weights_of(min(n, last));
  let m_base = weights_of(min(m, last));
  let words = matrix_shape.groups * 8u;
  // Where the upper and the lower planes of the four rows begin.
  let upper = vec4u(row, row + 1u, row + 2u, row + 3u) * 2u * words;
  let lower = upper + words;
  var n_high = vec4i();
  var n_low = vec4i();
  var m_high = vec4i();
  var m_low = vec4i();
  for (var group = 0u; group < matrix_shape.groups; group += 1u) {
    var nh = vec4i();
    var nl = vec4i();
    var mh = vec4i();
    var ml = vec4i();
    for (var pair = group * 4u; pair < group * 4u + 4u; pair += 1u) {
      let a = weight_pair(n_base, pair);
      let b = weight_pair(m_base, pair);
      for (var half = 0u; half < 2u; half += 1u) {
        let x = select(a.x, a.y, half == 1u);
        let y = select(b.x, b.y, half == 1u);
        let k = pair * 2u + half;
        let p = vec4u(planes[upper.x + k], planes[upper.y + k], planes[upper.z + k], planes[upper.w + k]);
        let q = vec4u(planes[lower.x + k], planes[lower.y + k], planes[lower.z + k], planes[lower.w + k]);
        nh += dots(x, p);
        nl += dots(x, q);
        mh += dots(y, p);
        ml += dots(y, q);
      }
    }
    let n_multiplier = multiplier_of(min(n, last), group);
    let m_multiplier = multiplier_of(min(m, last), group);
    n_high += n_multiplier * nh;
    n_low += n_multiplier * nl;
    m_high += m_multiplier * mh;
    m_low += m_multiplier * ml;
  }
  for (var i = 0u; i < 8u; i += 1u) {
    let r = i & 3u;
    let output = n + (i >> 2u) * 64u;
    if (row + r < slice.rows && output <= last) {
      let high = select(n_high[r], m_high[r], i > 3u);
      let low = select(n_low[r], m_low[r], i > 3u);
      store_result(row + r, output, high, low, row_scales[row + r]);
    }
  }
}

fn dots(weight: u32, rows: vec4u) -> vec4i {
  return vec4i(
    dot4I8Packed(weight, rows.x), dot4I8Packed(weight, rows.y), dot4I8Packed(weight, rows.z), dot4I8Packed(weight, rows.w),
  );
}
