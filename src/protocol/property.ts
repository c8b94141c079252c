/**
 * What is measured of a provider. `fuel`: of one thread; `fuel-all`: of all its threads at once; `memory`: of one function;
 * then the integer kernels of models, several rows at a time and one, on the processor and on the graphics card; `upstream`:
 * to the relay.
 */
export const PROPERTIES = [
  "fuel",
  "fuel-all",
  "memory",
  "wasm-rows",
  "wasm-row",
  "webgpu-rows",
  "webgpu-row",
  "upstream",
] as const;
export type Property = (typeof PROPERTIES)[number];
/** The integer kernels of models. */
export type KernelProperty = Extract<Property, `wasm-${string}` | `webgpu-${string}`>;
