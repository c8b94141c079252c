// Turns and quantises the queries and keys of a row and quantises its values: one workgroup per head and row. Queries go
// to `queries`, keys and values to the history at the row's position.

struct Shape {
  heads: u32,
  key_heads: u32,
  // Values of a head, and words of a plane of it: four values in each.
  head_size: u32,
  head_words: u32,
  context: u32,
  // 0: nothing turns, 1: neighbours turn together, 2: the halves of a head.
  turning: u32,
}

const THREADS: u32 = 32u;

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> projected: array<i32>;
// Cosine in the low, sine in the high 16 bits, per position and pair.
@group(0) @binding(2) var<storage, read> rotation: array<u32>;
// Per row and head the words of the upper plane, then those of the lower one.
@group(0) @binding(3) var<storage, read_write> queries: array<u32>;
@group(0) @binding(4) var<storage, read_write> query_scales: array<u32>;
// Likewise per head and position; first all keys, then all values.
@group(0) @binding(5) var<storage, read_write> history: array<u32>;
@group(0) @binding(6) var<storage, read_write> history_scales: array<u32>;

var<workgroup> peak: atomic<u32>;
var<workgroup> largest: atomic<u32>;

// Of the head of this workgroup: where its values begin, and whether and how they turn.
var<private> first_value: u32;
var<private> turns: bool;
var<private> first_angle: u32;
var<private> lowering: i32;

fn value_at(i: u32) -> i32 {
  if (!turns) { return projected[first_value + i]; }
  let half = shape.head_size / 2u;
  var pair = i / 2u;
  var other = i ^ 1u;
  var is_second = (i & 1u) == 1u;
  if (shape.turning == 2u) {
    is_second = i >= half;
    pair = select(i, i - half, is_second);
    other = select(i + half, i - half, is_second);
  }
  let angle = rotation[first_angle + pair];
  let cosine = i32(angle << 16u) >> 16u;
  let sine = i32(angle) >> 16u;
  let a = shift(projected[first_value + i], lowering) * cosine;
  let b = shift(projected[first_value + other], lowering) * sine;
  return select(a - b, a + b, is_second);
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let place = place_of(group);
  let head = place.x;
  let row = place.y;
  let thread = local.x;
  let position = slice.first + row;
  first_value = (row * (shape.heads + 2u * shape.key_heads) + head) * shape.head_size;
  first_angle = position * (shape.head_size / 2u);
  turns = shape.turning > 0u && head < shape.heads + shape.key_heads;
  var most = 0u;
  for (var i = thread; i < shape.head_size; i += THREADS) { most = max(most, magnitude(projected[first_value + i])); }
  atomicMax(&peak, most);
  workgroupBarrier();
  lowering = bits(atomicLoad(&peak)) - 14;
  most = 0u;
  for (var i = thread; i < shape.head_size; i += THREADS) { most = max(most, magnitude(value_at(i))); }
  atomicMax(&largest, most);
  workgroupBarrier();
  let whole = atomicLoad(&largest);
  let down = bits(whole) - 16;
  let top = u32(shift(i32(whole), down));
  let quotient = i32((8191u << 17u) / max(top, 1u));
  var scale = NO_SCALE;
  if (whole > 0u) { scale = times_power_of_two(multiply_scales(scale_from(top, down), STEP), select(-14, lowering - 29, turns)); }
  for (var word = thread; word < shape.head_words; word += THREADS) {
    var upper = 0u;
    var lower = 0u;
    for (var byte = 0u; byte < 4u; byte += 1u) {
      let i = word * 4u + byte;
      if (i < shape.head_size && whole > 0u) {
        let q = (shift(value_at(i), down) * quotient + 0x10000) >> 17u;
        upper |= (u32(q >> 7u) & 0xffu) << (8u * byte);
        lower |= (u32(q) & 0x7fu) << (8u * byte);
      }
    }
    if (head < shape.heads) {
      let at = (row * shape.heads + head) * 2u * shape.head_words + word;
      queries[at] = upper;
      queries[at + shape.head_words] = lower;
    } else {
      let at = ((head - shape.heads) * shape.context + position) * 2u * shape.head_words + word;
      history[at] = upper;
      history[at + shape.head_words] = lower;
    }
  }
  if (thread == 0u) {
    if (head < shape.heads) {
      query_scales[row * shape.heads + head] = scale;
    } else {
      history_scales[(head - shape.heads) * shape.context + position] = scale;
    }
  }
}
