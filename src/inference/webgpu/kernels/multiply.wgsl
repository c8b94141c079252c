// A matrix times quantised rows: a thread computes one output of up to ROWS rows, so that weights are read once for them.

override OUTPUTS: u32;
override GROUPS: u32;
override WEIGHT_BITS: u32;
override FRACTION: i32;
// 0 stores, 1 adds to what is there.
override ADDS: u32;
// 1 adds a bias per output.
override BIASED: u32;

const ROWS: u32 = 4u;

struct Batch {
  // Rows of this batch.
  rows: u32,
  // Position of the first row.
  first: u32,
}

@group(0) @binding(0) var<uniform> batch: Batch;
@group(0) @binding(1) var<storage, read> planes: array<vec4u>;
@group(0) @binding(2) var<storage, read> row_scales: array<u32>;
@group(0) @binding(3) var<storage, read> weights: array<vec4u>;
@group(0) @binding(4) var<storage, read> multipliers: array<u32>;
@group(0) @binding(5) var<storage, read> weight_scales: array<u32>;
@group(0) @binding(6) var<storage, read> biases: array<i32>;
@group(0) @binding(7) var<storage, read_write> results: array<i32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let n = id.x;
  if (n >= OUTPUTS) { return; }
  let first = id.y * ROWS;
  var high: array<i32, ROWS>;
  var low: array<i32, ROWS>;
  for (var group = 0u; group < GROUPS; group += 1u) {
    let place = n * GROUPS + group;
    let w = group_at(place);
    let multiplier = multiplier_at(place);
    for (var r = 0u; r < ROWS; r += 1u) {
      if (first + r >= batch.rows) { break; }
      let at = ((first + r) * 2u * GROUPS + group) * 2u;
      let lower = at + 2u * GROUPS;
      high[r] += multiplier * (dot4(w.a, planes[at]) + dot4(w.b, planes[at + 1u]));
      low[r] += multiplier * (dot4(w.a, planes[lower]) + dot4(w.b, planes[lower + 1u]));
    }
  }
  for (var r = 0u; r < ROWS; r += 1u) {
    let row = first + r;
    if (row >= batch.rows) { break; }
    let scale = times_power_of_two(multiply_scales(row_scales[row], weight_scales[n]), 7);
    var value = apply_scale(high[r] + (low[r] >> 7u), scale, FRACTION);
    if (BIASED == 1u) { value += biases[n]; }
    if (ADDS == 1u) { value += results[row * OUTPUTS + n]; }
    results[row * OUTPUTS + n] = value;
  }
}
