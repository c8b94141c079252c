// One workgroup quantises one row: what all kernels that end in planes share. The kernel defines value_at(i), the row's
// value i in i32, and calls quantise_row once from uniform control flow.

override COLUMNS: u32;
// Groups of 32 columns.
override GROUPS: u32;
// 8: four neighbouring columns in a word. 4: of eight columns first the even ones, then the odd ones, as weights of 4 bits unpack.
override WEIGHT_BITS: u32;

const THREADS: u32 = 64u;

@group(0) @binding(0) var<storage, read_write> planes: array<u32>;
@group(0) @binding(1) var<storage, read_write> row_scales: array<u32>;

var<workgroup> shared_largest: atomic<u32>;

// The column of byte `byte` of word `word` of a plane.
fn column_of(word: u32, byte: u32) -> u32 {
  if (WEIGHT_BITS == 8u) { return word * 4u + byte; }
  return (word >> 1u) * 8u + byte * 2u + (word & 1u);
}

// Writes the planes of row `row`, the upper one first, and returns the scale in units of the row's last bit.
fn quantise_row(row: u32, thread: u32) -> u32 {
  var largest = 0u;
  for (var i = thread; i < COLUMNS; i += THREADS) { largest = max(largest, magnitude(value_at(row, i))); }
  atomicMax(&shared_largest, largest);
  workgroupBarrier();
  largest = atomicLoad(&shared_largest);
  let words = GROUPS * 8u;
  let base = row * words * 2u;
  let n = bits(largest) - 16;
  let top = u32(shift(i32(largest), n));
  let quotient = i32((8191u << 17u) / max(top, 1u));
  for (var word = thread; word < words; word += THREADS) {
    var high = 0u;
    var low = 0u;
    if (largest > 0u) {
      for (var byte = 0u; byte < 4u; byte += 1u) {
        let column = column_of(word, byte);
        if (column < COLUMNS) {
          let q = (shift(value_at(row, column), n) * quotient + 0x10000) >> 17u;
          high |= (u32(q >> 7u) & 0xffu) << (8u * byte);
          low |= (u32(q) & 0x7fu) << (8u * byte);
        }
      }
    }
    planes[base + word] = high;
    planes[base + words + word] = low;
  }
  if (largest == 0u) { return NO_SCALE; }
  return multiply_scales(scale_from(top, n), STEP);
}
