/**
 * Calls a function with ABI "bytes-1" directly: no metering, no limits. For tests and for trying things out; the
 * sandbox does this for strangers' code.
 */

/** Compiles once for many calls. Throws when the module imports anything or lacks one of the three exports. */
export async function loadBytesFunction(
  wasm: Uint8Array<ArrayBuffer>,
): Promise<(input: Uint8Array) => Uint8Array> {
  const module = await WebAssembly.compile(wasm);
  return (input) => runOnce(module, input);
}

/** Runs a fresh instance, so no call sees another's memory. Throws WebAssembly.RuntimeError on a trap. */
function runOnce(module: WebAssembly.Module, input: Uint8Array): Uint8Array {
  const { memory, tabmesh_alloc, tabmesh_run } = new WebAssembly.Instance(module, {}).exports;
  if (
    !(memory instanceof WebAssembly.Memory) ||
    typeof tabmesh_alloc !== "function" ||
    typeof tabmesh_run !== "function"
  ) {
    throw new TypeError("expected the exports memory, tabmesh_alloc and tabmesh_run");
  }
  const address = Number(tabmesh_alloc(input.length)) >>> 0;
  new Uint8Array(memory.buffer, address, input.length).set(input);
  const packed = BigInt.asUintN(64, BigInt(tabmesh_run(address, input.length)));
  return new Uint8Array(memory.buffer, Number(packed >> 32n), Number(packed & 0xffffffffn)).slice();
}
