// A matrix times one row that every workgroup quantises for itself: one dispatch less, for a single position. SLICES threads
// share two outputs: more of them keep more of a device busy, and cost a round through the workgroup's memory.
//
// The row is taken eight groups at a time, a word by each thread, so that any row does with little memory.

override SLICES: u32 = 1u;

const CHUNK_GROUPS: u32 = 8u;

var<workgroup> shared_planes: array<vec2u, THREADS>;
var<workgroup> shared_sums: array<vec4i, THREADS>;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let row_scale = begin_row(0u, local.x);
  let outputs = THREADS / SLICES;
  let last = matrix_shape.outputs - 1u;
  let n = (slice.start + workgroup.x) * outputs * 2u + local.x % outputs;
  let m = n + outputs;
  let n_base = weights_of(min(n, last));
  let m_base = weights_of(min(m, last));
  // The upper and the lower sum of n, then those of m.
  var sums = vec4i();
  for (var chunk = 0u; chunk < matrix_shape.groups; chunk += CHUNK_GROUPS) {
    shared_planes[local.x] = quantised(0u, chunk * 8u + local.x);
    workgroupBarrier();
    let end = min(chunk + CHUNK_GROUPS, matrix_shape.groups);
    for (var group = chunk + local.x / outputs; group < end; group += SLICES) {
      var of_group = vec4i();
      for (var k = 0u; k < 8u; k += 1u) {
        let x = weight_word(n_base, group * 8u + k);
        let y = weight_word(m_base, group * 8u + k);
        let p = shared_planes[(group - chunk) * 8u + k];
        of_group += vec4i(
          dot4I8Packed(x, p.x), dot4I8Packed(x, p.y), dot4I8Packed(y, p.x), dot4I8Packed(y, p.y),
        );
      }
      let multiplier = vec2i(multiplier_of(min(n, last), group), multiplier_of(min(m, last), group));
      sums += multiplier.xxyy * of_group;
    }
    workgroupBarrier();
  }
  if (SLICES > 1u) {
    shared_sums[local.x] = sums;
    workgroupBarrier();
    if (local.x < outputs) {
      for (var other = local.x + outputs; other < THREADS; other += outputs) { sums += shared_sums[other]; }
    }
  }
  if (local.x < outputs) {
    for (var i = 0u; i < 2u; i += 1u) {
      let output = n + i * outputs;
      if (output <= last) { store_result(0u, output, sums[i * 2u], sums[i * 2u + 1u], row_scale); }
    }
  }
}
