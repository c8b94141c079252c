// Turns and quantises the queries and keys of a row and quantises its values: one workgroup per head and row. Queries go
// to `queries`, keys and values to the history at the row's position.

override HEADS: u32;
override KEY_HEADS: u32;
override HEAD_SIZE: u32;
// Words of a plane of a head: four values in each.
override HEAD_WORDS: u32;
override CONTEXT: u32;
// 1: the halves of a head turn together, 0: neighbours.
override HALVES: u32;

const THREADS: u32 = 32u;

struct Batch {
  rows: u32,
  first: u32,
}

@group(0) @binding(0) var<uniform> batch: Batch;
// Per row the queries, keys and values, i32 in Q14.
@group(0) @binding(1) var<storage, read> projected: array<i32>;
// Cosine in the low, sine in the high 16 bits, per position and pair.
@group(0) @binding(2) var<storage, read> rotation: array<u32>;
// Per row and head the words of the upper plane, then those of the lower one.
@group(0) @binding(3) var<storage, read_write> queries: array<u32>;
@group(0) @binding(4) var<storage, read_write> query_scales: array<u32>;
// Likewise per head and position; first all keys, then all values.
@group(0) @binding(5) var<storage, read_write> history: array<u32>;
@group(0) @binding(6) var<storage, read_write> history_scales: array<u32>;

var<workgroup> turned: array<i32, HEAD_SIZE>;
var<workgroup> peak: atomic<u32>;
var<workgroup> largest: atomic<u32>;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let head = group.x;
  let row = group.y;
  let thread = local.x;
  let position = batch.first + row;
  let heads = HEADS + 2u * KEY_HEADS;
  let at = (row * heads + head) * HEAD_SIZE;
  let turns = head < HEADS + KEY_HEADS;
  let half = HEAD_SIZE / 2u;
  var most = 0u;
  for (var i = thread; i < HEAD_SIZE; i += THREADS) { most = max(most, magnitude(projected[at + i])); }
  atomicMax(&peak, most);
  workgroupBarrier();
  let n = bits(atomicLoad(&peak)) - 14;
  for (var pair = thread; pair < half; pair += THREADS) {
    var i = pair * 2u;
    var j = i + 1u;
    if (HALVES == 1u) {
      i = pair;
      j = pair + half;
    }
    if (turns) {
      let a = shift(projected[at + i], n);
      let b = shift(projected[at + j], n);
      let angle = rotation[position * half + pair];
      let cosine = i32(angle << 16u) >> 16u;
      let sine = i32(angle) >> 16u;
      turned[i] = a * cosine - b * sine;
      turned[j] = a * sine + b * cosine;
    } else {
      turned[i] = projected[at + i];
      turned[j] = projected[at + j];
    }
  }
  workgroupBarrier();
  most = 0u;
  for (var i = thread; i < HEAD_SIZE; i += THREADS) { most = max(most, magnitude(turned[i])); }
  atomicMax(&largest, most);
  workgroupBarrier();
  let whole = atomicLoad(&largest);
  let down = bits(whole) - 16;
  let top = u32(shift(i32(whole), down));
  let quotient = i32((8191u << 17u) / max(top, 1u));
  var scale = NO_SCALE;
  if (whole > 0u) { scale = times_power_of_two(multiply_scales(scale_from(top, down), STEP), select(-14, n - 29, turns)); }
  for (var word = thread; word < HEAD_WORDS; word += THREADS) {
    var upper = 0u;
    var lower = 0u;
    for (var byte = 0u; byte < 4u; byte += 1u) {
      let i = word * 4u + byte;
      if (i < HEAD_SIZE && whole > 0u) {
        let q = (shift(turned[i], down) * quotient + 0x10000) >> 17u;
        upper |= (u32(q >> 7u) & 0xffu) << (8u * byte);
        lower |= (u32(q) & 0x7fu) << (8u * byte);
      }
    }
    if (head < HEADS) {
      let place = (row * HEADS + head) * 2u * HEAD_WORDS + word;
      queries[place] = upper;
      queries[place + HEAD_WORDS] = lower;
    } else {
      let place = ((head - HEADS) * CONTEXT + position) * 2u * HEAD_WORDS + word;
      history[place] = upper;
      history[place + HEAD_WORDS] = lower;
    }
  }
  if (thread == 0u) {
    if (head < HEADS) {
      query_scales[row * HEADS + head] = scale;
    } else {
      history_scales[(head - HEADS) * CONTEXT + position] = scale;
    }
  }
}
