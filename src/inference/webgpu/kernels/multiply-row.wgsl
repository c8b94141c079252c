// A matrix times one row that every workgroup quantises for itself: one dispatch less, for a single position.

override OUTPUTS: u32;
override FRACTION_OUT: i32;
// 0 stores, 1 adds to what is there.
override ADDS: u32;
// 1 adds a bias per output.
override BIASED: u32;

@group(0) @binding(2) var<storage, read> weights: array<vec4u>;
@group(0) @binding(3) var<storage, read> multipliers: array<u32>;
@group(0) @binding(4) var<storage, read> weight_scales: array<u32>;
@group(0) @binding(5) var<storage, read> biases: array<i32>;
@group(0) @binding(6) var<storage, read_write> results: array<i32>;

var<workgroup> shared_planes: array<u32, GROUPS * 16>;

fn store_word(row: u32, word: u32, high: u32, low: u32) {
  shared_planes[word] = high;
  shared_planes[GROUPS * 8u + word] = low;
}

fn plane_at(place: u32) -> vec4u {
  let at = place * 4u;
  return vec4u(shared_planes[at], shared_planes[at + 1u], shared_planes[at + 2u], shared_planes[at + 3u]);
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let row_scale = quantise_row(0u, local.x);
  workgroupBarrier();
  let n = workgroup.x * THREADS + local.x;
  if (n >= OUTPUTS) { return; }
  var high = 0;
  var low = 0;
  for (var group = 0u; group < GROUPS; group += 1u) {
    let place = n * GROUPS + group;
    let w = group_at(place);
    let multiplier = multiplier_at(place);
    let at = group * 2u;
    let lower = at + 2u * GROUPS;
    high += multiplier * (dot4(w.a, plane_at(at)) + dot4(w.b, plane_at(at + 1u)));
    low += multiplier * (dot4(w.a, plane_at(lower)) + dot4(w.b, plane_at(lower + 1u)));
  }
  let scale = times_power_of_two(multiply_scales(row_scale, weight_scales[n]), 7);
  var value = apply_scale(high + (low >> 7u), scale, FRACTION_OUT);
  if (BIASED == 1u) { value += biases[n]; }
  if (ADDS == 1u) { value += results[n]; }
  results[n] = value;
}
