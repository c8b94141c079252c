/** The smallest function of bytes (ABI "bytes-1"): returns its input. What is left of a task's cost is the host's. */

export function tabmesh_alloc(size: i32): i32 {
  return size < 0 ? 0 : <i32>heap.alloc(<usize>size);
}

export function tabmesh_run(ptr: i32, len: i32): i64 {
  return ((<i64>ptr) << 32) | <i64>(<u32>len);
}
