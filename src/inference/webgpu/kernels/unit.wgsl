// tanh of a row in Q14, divided by the length of the whole: one workgroup.

const THREADS: u32 = 64u;

struct Shape {
  columns: u32,
}

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> row: array<i32>;
// Sigmoid's.
@group(0) @binding(3) var<storage, read> table: array<i32>;
@group(0) @binding(9) var<storage, read_write> results: array<i32>;

var<workgroup> shared_high: atomic<u32>;
var<workgroup> shared_low: atomic<u32>;

fn tangent(i: u32) -> i32 {
  return 2 * sigmoid(2 * clamp(row[i], -0x20000000, 0x20000000)) - 32768;
}

@compute @workgroup_size(THREADS)
fn main(@builtin(local_invocation_id) local: vec3u) {
  var high = 0u;
  var low = 0u;
  for (var i = local.x; i < shape.columns; i += THREADS) {
    let value = tangent(i);
    let square = u32(value * value);
    high += square >> 16u;
    low += square & 0xffffu;
  }
  atomicAdd(&shared_high, high);
  atomicAdd(&shared_low, low);
  workgroupBarrier();
  low = atomicLoad(&shared_low);
  let root = reciprocal_root(atomicLoad(&shared_high) + (low >> 16u), low & 0xffffu);
  for (var i = local.x; i < shape.columns; i += THREADS) {
    results[i] = clamp(apply_scale(tangent(i), root, 15), -32767, 32767);
  }
}
