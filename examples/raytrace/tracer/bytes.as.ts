/** Memory that is never freed: one instance renders one task. */

/** `count` records of `size` bytes, aligned to 16; traps when the host grants no more memory. */
export function reserve(count: usize, size: usize): usize {
  return heap.alloc(max<usize>(count * size, 16));
}

export function readF32(address: usize): f64 {
  return <f64>load<f32>(address);
}

/** Whether every f32 of `count` words from `address` is a number (not infinite, not NaN). */
export function allFinite(address: usize, count: usize): bool {
  for (let i: usize = 0; i < count; i++) {
    const exponent = load<u32>(address + (i << 2)) & 0x7f800000;
    if (exponent == 0x7f800000) return false;
  }
  return true;
}
