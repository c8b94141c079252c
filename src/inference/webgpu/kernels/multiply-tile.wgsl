// A matrix times quantised rows: a workgroup computes 32 outputs of 32 rows through its own memory, a thread four of four. There
// is room for rows up to a multiple of 32 in `planes`.

const THREADS: u32 = 64u;

// Of half a group: 4 words of 32 outputs; 4 words of the upper and of the lower planes of 32 rows.
var<workgroup> tile_weights: array<u32, 128>;
var<workgroup> tile_planes: array<vec2u, 128>;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let last = matrix_shape.outputs - 1u;
  let place = place_of(workgroup);
  let first = place.x * 32u;
  let row = place.y * 32u;
  let words = matrix_shape.groups * 8u;
  // This thread's outputs are n, n + 8, n + 16, n + 24, its rows likewise.
  let n = local.x % 8u;
  let r = local.x / 8u;
  var high = array<i32, 16>();
  var low = array<i32, 16>();
  for (var group = 0u; group < matrix_shape.groups; group += 1u) {
    var sums = array<vec2i, 16>();
    for (var half = 0u; half < 2u; half += 1u) {
      // A thread brings in two words of one output and of one row.
      let one = local.x % 32u;
      let part = local.x / 32u * 2u;
      let base = weights_of(min(first + one, last));
      for (var k = 0u; k < 2u; k += 1u) {
        let word = group * 8u + half * 4u + part + k;
        let at = (part + k) * 32u + one;
        let from_row = (row + one) * 2u * words + word;
        tile_weights[at] = weight_word(base, word);
        tile_planes[at] = vec2u(planes[from_row], planes[from_row + words]);
      }
      workgroupBarrier();
      for (var k = 0u; k < 128u; k += 32u) {
        for (var i = 0u; i < 4u; i += 1u) {
          let weight = tile_weights[k + n + i * 8u];
          for (var j = 0u; j < 4u; j += 1u) {
            let both = tile_planes[k + r + j * 8u];
            sums[j * 4u + i] += vec2i(dot4I8Packed(both.x, weight), dot4I8Packed(both.y, weight));
          }
        }
      }
      workgroupBarrier();
    }
    for (var i = 0u; i < 4u; i += 1u) {
      let multiplier = multiplier_of(min(first + n + i * 8u, last), group);
      for (var j = i; j < 16u; j += 4u) {
        high[j] += multiplier * sums[j].x;
        low[j] += multiplier * sums[j].y;
      }
    }
  }
  for (var i = 0u; i < 16u; i += 1u) {
    let to_row = row + r + (i >> 2u) * 8u;
    let output = first + n + (i & 3u) * 8u;
    if (to_row < slice.rows && output <= last) { store_result(to_row, output, high[i], low[i], row_scales[to_row]); }
  }
}
