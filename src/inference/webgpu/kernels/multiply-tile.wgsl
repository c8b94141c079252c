// A matrix times quantised rows: a workgroup computes 32 outputs of 32 rows through its own memory, a thread four of four. There
// is room for rows up to a multiple of 32 in `planes`.

const THREADS: u32 = 64u;

// Of a group: 8 words of 32 outputs, the upper, then the lower planes' 8 words of 32 rows; neighbours in a word's order.
var<workgroup> tile_weights: array<u32, 256>;
var<workgroup> tile_planes: array<u32, 512>;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let last = matrix_shape.outputs - 1u;
  let first = (slice.x + workgroup.x) * 32u;
  let row = (slice.y + workgroup.y) * 32u;
  let words = matrix_shape.groups * 8u;
  // This thread's outputs are n, n + 8, n + 16, n + 24, its rows likewise.
  let n = local.x % 8u;
  let r = local.x / 8u;
  var high: array<vec4i, 4>;
  var low: array<vec4i, 4>;
  for (var group = 0u; group < matrix_shape.groups; group += 1u) {
    // A thread brings in half the words of one output and one plane of one row.
    let output = local.x % 32u;
    let part = local.x / 32u;
    let base = weights_of(min(first + output, last));
    for (var pair = part * 2u; pair < part * 2u + 2u; pair += 1u) {
      let w = weight_pair(base, group * 4u + pair);
      tile_weights[pair * 64u + output] = w.x;
      tile_weights[pair * 64u + 32u + output] = w.y;
    }
    let from_row = ((row + output) * 2u + part) * words + group * 8u;
    for (var k = 0u; k < 8u; k += 1u) { tile_planes[part * 256u + k * 32u + output] = planes[from_row + k]; }
    workgroupBarrier();
    var h = array<vec4i, 4>();
    var l = array<vec4i, 4>();
    for (var k = 0u; k < 8u; k += 1u) {
      let w = four(k * 32u + n);
      for (var j = 0u; j < 4u; j += 1u) {
        let p = tile_planes[k * 32u + r + j * 8u];
        let q = tile_planes[256u + k * 32u + r + j * 8u];
        h[j] += dots(p, w);
        l[j] += dots(q, w);
      }
    }
    let multiplier = vec4i(
      multiplier_of(min(first + n, last), group),
      multiplier_of(min(first + n + 8u, last), group),
      multiplier_of(min(first + n + 16u, last), group),
      multiplier_of(min(first + n + 24u, last), group),
    );
    for (var j = 0u; j < 4u; j += 1u) {
      high[j] += multiplier * h[j];
      low[j] += multiplier * l[j];
    }
    workgroupBarrier();
  }
  for (var j = 0u; j < 4u; j += 1u) {
    let to_row = row + r + j * 8u;
    for (var i = 0u; i < 4u; i += 1u) {
      let output = first + n + i * 8u;
      if (to_row < slice.rows && output <= last) {
        store_result(to_row, output, high[j][i], low[j][i], row_scales[to_row]);
      }
    }
  }
}

fn four(at: u32) -> vec4u {
  return vec4u(tile_weights[at], tile_weights[at + 8u], tile_weights[at + 16u], tile_weights[at + 24u]);
}

fn dots(plane: u32, weight: vec4u) -> vec4i {
  return vec4i(
    dot4I8Packed(plane, weight.x), dot4I8Packed(plane, weight.y), dot4I8Packed(plane, weight.z), dot4I8Packed(plane, weight.w),
  );
}
