// A matrix times one row that every workgroup quantises for itself: one dispatch less, for a single position. SLICES threads
// share an output: more of them keep more of a device busy, and cost a round through the workgroup's memory.

override SLICES: u32 = 1u;
// Words of both planes.
override PLANE_WORDS: u32 = 1024u;

var<workgroup> shared_planes: array<u32, PLANE_WORDS>;
var<workgroup> shared_sums: array<vec2i, THREADS>;

fn store_word(row: u32, word: u32, high: u32, low: u32) {
  shared_planes[word] = high;
  shared_planes[row_shape.groups * 8u + word] = low;
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let row_scale = quantise_row(0u, local.x);
  workgroupBarrier();
  let outputs = THREADS / SLICES;
  let wanted = (slice.x + workgroup.x) * outputs + local.x % outputs;
  let n = min(wanted, matrix_shape.outputs - 1u);
  let base = weights_of(n);
  let words = matrix_shape.groups * 8u;
  var sums = vec2i();
  for (var group = local.x / outputs; group < matrix_shape.groups; group += SLICES) {
    var high = 0;
    var low = 0;
    for (var pair = group * 4u; pair < group * 4u + 4u; pair += 1u) {
      let w = weight_pair(base, pair);
      let at = pair * 2u;
      high += dot4I8Packed(w.x, shared_planes[at]) + dot4I8Packed(w.y, shared_planes[at + 1u]);
      low += dot4I8Packed(w.x, shared_planes[words + at]) + dot4I8Packed(w.y, shared_planes[words + at + 1u]);
    }
    sums += multiplier_of(n, group) * vec2i(high, low);
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
