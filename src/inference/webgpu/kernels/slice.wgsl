// What a dispatch is told beside the sizes of its kernel. A grid of workgroups is counted through, row by row, so that it may be
// cut anywhere into dispatches, each of which begins at a workgroup of its own.
struct Slice {
  // Rows of the batch.
  rows: u32,
  // Position of the first row.
  first: u32,
  // Number of the first workgroup.
  start: u32,
  // Workgroups of a row of the grid.
  width: u32,
}

@group(1) @binding(0) var<uniform> slice: Slice;

// The place in the grid of a dispatch's workgroup.
fn place_of(workgroup: vec3u) -> vec2u {
  let number = slice.start + workgroup.x;
  return vec2u(number % slice.width, number / slice.width);
}
