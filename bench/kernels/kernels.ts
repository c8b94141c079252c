/** Programs that are known from comparisons of processors and engines. What they do is said in their sources. */
import { readFile } from "node:fs/promises";

/** A module without imports that exports `run(n: i32) -> i32`. */
export interface Kernel {
  readonly name: string;
  /** Of a run that takes 3 to 6 ms on a machine of 2025: short enough for some runs to be disturbed by nothing. */
  readonly n: number;
  /** Of `run(n)`, as i32. */
  readonly result: number;
  /** Of a run that is short, and after some of which an engine has found out what is worth optimising. */
  readonly warmUpN: number;
}

export const KERNELS: readonly Kernel[] = [
  { name: "sieve", n: 40, result: -337_198_336, warmUpN: 2 },
  { name: "fib", n: 31, result: 1_346_269, warmUpN: 18 },
  { name: "matmul-f32", n: 12, result: 1_409_456_398, warmUpN: 1 },
  { name: "matmul-i8", n: 40, result: -2_038_481_251, warmUpN: 1 },
  { name: "mandelbrot", n: 1_500, result: 1_899_176, warmUpN: 20 },
  { name: "nbody", n: 80_000, result: -1_579_753_400, warmUpN: 500 },
  { name: "crc32", n: 25, result: 654_210_764, warmUpN: 1 },
  { name: "sort", n: 3, result: -613_033_423, warmUpN: 1 },
  { name: "sha256", n: 18_000, result: 976_437_257, warmUpN: 300 },
  { name: "core-mix", n: 600, result: 64_183, warmUpN: 5 },
  { name: "bytecode", n: 3_500, result: 257_574, warmUpN: 30 },
];

export function kernelUrl(name: string, ending: "c" | "wasm"): URL {
  return new URL(`${name}.${ending}`, import.meta.url);
}

export async function readKernel(name: string): Promise<Uint8Array<ArrayBuffer>> {
  return Uint8Array.from(await readFile(kernelUrl(name, "wasm")));
}
