// Quantises one row per workgroup: what all kernels share that begin with a row of integers. A source file defines
// prepare(row, thread), value_at(row, i), the row's values in i32, and finish(scale).

struct RowShape {
  columns: u32,
  // Groups of 32 columns.
  groups: u32,
  // 8: four neighbouring columns in a word. 4: of eight columns first the even ones, then the odd ones, as weights of 4 bits unpack.
  weight_bits: u32,
  // Bits of fraction of the values, or of a norm's factors.
  fraction: i32,
  // 1 takes what is below 0 for 0.
  positive: u32,
  epsilon: u32,
  root_width: u32,
  // Of layer-row.wgsl.
  source: u32,
  // 1: a row goes to memory as whole values, 0: as planes.
  whole: u32,
}

@group(0) @binding(0) var<uniform> row_shape: RowShape;

const THREADS: u32 = 64u;

var<workgroup> shared_largest: atomic<u32>;

// The column of byte `byte` of word `word` of a plane.
fn column_of(word: u32, byte: u32) -> u32 {
  if (row_shape.weight_bits == 8u) { return word * 4u + byte; }
  return (word >> 1u) * 8u + byte * 2u + (word & 1u);
}

// What `quantised` needs of a row, in every thread.
var<private> row_largest: u32;
var<private> row_shift: i32;
var<private> row_quotient: i32;

// Looks at row `row` and returns its scale, in every thread. Called once, from uniform control flow.
fn begin_row(row: u32, thread: u32) -> u32 {
  prepare(row, thread);
  var largest = 0u;
  for (var i = thread; i < row_shape.columns; i += THREADS) { largest = max(largest, magnitude(value_at(row, i))); }
  atomicMax(&shared_largest, largest);
  workgroupBarrier();
  largest = atomicLoad(&shared_largest);
  row_largest = largest;
  row_shift = bits(largest) - 16;
  let top = u32(shift(i32(largest), row_shift));
  row_quotient = i32((8191u << 17u) / max(top, 1u));
  var scale = NO_SCALE;
  if (largest > 0u) { scale = multiply_scales(scale_from(top, row_shift), STEP); }
  return finish(scale);
}

// A word of the upper and of the lower plane.
fn quantised(row: u32, word: u32) -> vec2u {
  var planes = vec2u();
  for (var byte = 0u; byte < 4u; byte += 1u) {
    let column = column_of(word, byte);
    if (column < row_shape.columns && row_largest > 0u) {
      let q = (shift(value_at(row, column), row_shift) * row_quotient + 0x10000) >> 17u;
      planes |= vec2u(u32(q >> 7u) & 0xffu, u32(q) & 0x7fu) << vec2u(8u * byte);
    }
  }
  return planes;
}
