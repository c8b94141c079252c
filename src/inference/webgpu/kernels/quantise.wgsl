// Quantises one row per workgroup: what all kernels share that begin with a row of integers. A source file defines
// prepare(row, thread), value_at(row, i), the row's values in i32, and finish(scale); a sink file defines store_word.

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
}

@group(0) @binding(0) var<uniform> row_shape: RowShape;

const THREADS: u32 = 64u;

var<workgroup> shared_largest: atomic<u32>;

// The column of byte `byte` of word `word` of a plane.
fn column_of(word: u32, byte: u32) -> u32 {
  if (row_shape.weight_bits == 8u) { return word * 4u + byte; }
  return (word >> 1u) * 8u + byte * 2u + (word & 1u);
}

// Stores both planes of row `row` and returns its scale, in every thread. Called once, from uniform control flow.
fn quantise_row(row: u32, thread: u32) -> u32 {
  let columns = row_shape.columns;
  prepare(row, thread);
  var largest = 0u;
  for (var i = thread; i < columns; i += THREADS) { largest = max(largest, magnitude(value_at(row, i))); }
  atomicMax(&shared_largest, largest);
  workgroupBarrier();
  largest = atomicLoad(&shared_largest);
  let n = bits(largest) - 16;
  let top = u32(shift(i32(largest), n));
  let quotient = i32((8191u << 17u) / max(top, 1u));
  for (var word = thread; word < row_shape.groups * 8u; word += THREADS) {
    var high = 0u;
    var low = 0u;
    if (largest > 0u) {
      for (var byte = 0u; byte < 4u; byte += 1u) {
        let column = column_of(word, byte);
        if (column < columns) {
          let q = (shift(value_at(row, column), n) * quotient + 0x10000) >> 17u;
          high |= (u32(q >> 7u) & 0xffu) << (8u * byte);
          low |= (u32(q) & 0x7fu) << (8u * byte);
        }
      }
    }
    store_word(row, word, high, low);
  }
  if (largest == 0u) { return finish(NO_SCALE); }
  return finish(multiply_scales(scale_from(top, n), STEP));
}
