// What a dispatch is told beside the sizes of its kernel. A grid may be cut into any number of dispatches, each of which
// begins at a workgroup of its own.
struct Slice {
  // Rows of the batch.
  rows: u32,
  // Position of the first row.
  first: u32,
  // First workgroup.
  x: u32,
  y: u32,
}

@group(1) @binding(0) var<uniform> slice: Slice;
