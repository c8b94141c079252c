// Attention of one head and row per workgroup, over all positions up to the row's own or over all rows.

struct Shape {
  heads: u32,
  key_heads: u32,
  // Values of a head, and words of a plane of it: four values in each.
  head_size: u32,
  head_words: u32,
  context: u32,
  score_scale: u32,
  // 1: a position sees those before it and itself, 0: all.
  causal: u32,
}

const THREADS: u32 = 64u;

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> queries: array<u32>;
@group(0) @binding(2) var<storage, read> query_scales: array<u32>;
@group(0) @binding(3) var<storage, read> history: array<u32>;
@group(0) @binding(4) var<storage, read> history_scales: array<u32>;
@group(0) @binding(5) var<storage, read> exp2_table: array<i32>;
// Scores, then weights, of every row, head and position.
@group(0) @binding(6) var<storage, read_write> weights: array<i32>;
@group(0) @binding(7) var<storage, read_write> mixed: array<i32>;

var<workgroup> shared_score: atomic<i32>;
var<workgroup> shared_exponent: atomic<i32>;
var<workgroup> shared_total: atomic<u32>;
var<workgroup> shared_weight: atomic<u32>;

fn exp2_negative(x: u32) -> u32 {
  let whole = x >> 16u;
  if (whole >= 16u) { return 0u; }
  let place = (x & 0xffffu) >> 8u;
  let a = exp2_table[place];
  let value = u32(a - (((a - exp2_table[place + 1u]) * i32(x & 0xffu) + 128) >> 8u));
  return (value + (1u << whole)) >> (whole + 1u);
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let place = place_of(group);
  let head = place.x;
  let row = place.y;
  let thread = local.x;
  let count = select(slice.rows, slice.first + row + 1u, shape.causal == 1u);
  let key_head = head * shape.key_heads / shape.heads;
  let query = (row * shape.heads + head) * 2u * shape.head_words;
  let keys = key_head * shape.context;
  let values = (shape.key_heads + key_head) * shape.context;
  let scratch = (row * shape.heads + head) * shape.context;
  let query_scale = multiply_scales(query_scales[row * shape.heads + head], shape.score_scale);
  if (thread == 0u) {
    atomicStore(&shared_score, -2147483647 - 1);
    atomicStore(&shared_exponent, -32768);
  }
  workgroupBarrier();
  var best = -2147483647 - 1;
  var exponent = -32768;
  for (var at = thread; at < count; at += THREADS) {
    var upper = 0;
    var middle = 0;
    var lower = 0;
    let key = (keys + at) * 2u * shape.head_words;
    for (var word = 0u; word < shape.head_words; word += 1u) {
      let q1 = queries[query + word];
      let q0 = queries[query + shape.head_words + word];
      let k1 = history[key + word];
      let k0 = history[key + shape.head_words + word];
      upper += dot4I8Packed(q1, k1);
      middle += dot4I8Packed(q1, k0) + dot4I8Packed(q0, k1);
      lower += dot4I8Packed(q0, k0);
    }
    let sum = upper * 128 + middle + (lower >> 7u);
    let scale = times_power_of_two(multiply_scales(query_scale, history_scales[keys + at]), 7);
    let score = apply_scale(sum, scale, 16);
    weights[scratch + at] = score;
    best = max(best, score);
    exponent = max(exponent, exponent_of(history_scales[values + at]));
  }
  atomicMax(&shared_score, best);
  atomicMax(&shared_exponent, exponent);
  workgroupBarrier();
  best = atomicLoad(&shared_score);
  exponent = atomicLoad(&shared_exponent);
  var total = 0u;
  var weighted = 0u;
  for (var at = thread; at < count; at += THREADS) {
    let power = exp2_negative(u32(best) - u32(weights[scratch + at]));
    total += power;
    let scale = history_scales[values + at];
    let behind = exponent - exponent_of(scale);
    var weight = 0u;
    if (behind <= 15) { weight = ((power * mantissa_of(scale)) >> 16u) >> u32(behind); }
    weights[scratch + at] = i32(weight);
    weighted += weight;
  }
  atomicAdd(&shared_total, total);
  atomicAdd(&shared_weight, weighted);
  storageBarrier();
  workgroupBarrier();
  let cut = max(0, bits(atomicLoad(&shared_weight)) - 24);
  let share = reciprocal(atomicLoad(&shared_total));
  let scale = pack_scale(mantissa_of(share), exponent_of(share) + exponent + 16 + cut + 7);
  for (var i = thread; i < shape.head_size; i += THREADS) {
    let word = i >> 2u;
    let left = 24u - 8u * (i & 3u);
    var upper = 0;
    var lower = 0;
    for (var at = 0u; at < count; at += 1u) {
      let weight = weights[scratch + at] >> u32(cut);
      let value = (values + at) * 2u * shape.head_words + word;
      upper += weight * (i32(history[value] << left) >> 24u);
      lower += weight * (i32(history[value + shape.head_words] << left) >> 24u);
    }
    mixed[(row * shape.heads + head) * shape.head_size + i] = apply_scale(upper + (lower >> 7u), scale, 14);
  }
}
