// A matrix times one row that every workgroup quantises for itself: one dispatch less, for a single position. SLICES threads
// share an output: more of them keep more of a device busy, and cost a round through the workgroup's memory.
//
// The row is taken eight groups at a time, a word by each thread, so that any row does with little memory.

override SLICES: u32 = 1u;

const CHUNK_GROUPS: u32 = 8u;

var<workgroup> shared_planes: array<vec2u, THREADS>;
var<workgroup> shared_sums: array<vec2i, THREADS>;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let row_scale = begin_row(0u, local.x);
  let outputs = THREADS / SLICES;
  let wanted = (slice.x + workgroup.x) * outputs + local.x % outputs;
  let n = min(wanted, matrix_shape.outputs - 1u);
  let base = weights_of(n);
  var sums = vec2i();
  for (var chunk = 0u; chunk < matrix_shape.groups; chunk += CHUNK_GROUPS) {
    shared_planes[local.x] = quantised(0u, chunk * 8u + local.x);
    workgroupBarrier();
    let end = min(chunk + CHUNK_GROUPS, matrix_shape.groups);
    for (var group = chunk + local.x / outputs; group < end; group += SLICES) {
      var both = vec2i();
      for (var pair = 0u; pair < 4u; pair += 1u) {
        let w = weight_pair(base, group * 4u + pair);
        let at = (group - chunk) * 8u + pair * 2u;
        let p = shared_planes[at];
        let q = shared_planes[at + 1u];
        both += vec2i(
          dot4I8Packed(w.x, p.x) + dot4I8Packed(w.y, q.x),
          dot4I8Packed(w.x, p.y) + dot4I8Packed(w.y, q.y),
        );
      }
      sums += multiplier_of(n, group) * both;
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
  if (local.x < outputs && wanted < matrix_shape.outputs) { store_result(0u, n, sums.x, sums.y, row_scale); }
}
