/* The smallest function of bytes (ABI "bytes-1"), in C without a library: returns its input. */
#include <stddef.h>
#include <stdint.h>

#define PAGE 65536u

/* Set by the linker: the first address that no data uses. */
extern unsigned char __heap_base;

static uintptr_t next;

/* Bumps a pointer, growing the memory as needed; 0 when the host grants no more. */
__attribute__((export_name("tabmesh_alloc"))) void *tabmesh_alloc(size_t size) {
  if (next == 0) next = (uintptr_t)&__heap_base;
  uintptr_t start = (next + 15) & ~(uintptr_t)15;
  size_t room = __builtin_wasm_memory_size(0) * PAGE;
  if (size > SIZE_MAX - PAGE - start) return NULL;
  uintptr_t end = start + size;
  if (end > room && __builtin_wasm_memory_grow(0, (end - room + PAGE - 1) / PAGE) == (size_t)-1) return NULL;
  next = end;
  return (void *)start;
}

__attribute__((export_name("tabmesh_run"))) int64_t tabmesh_run(uint32_t ptr, uint32_t len) {
  return (int64_t)((uint64_t)ptr << 32 | len);
}
