/** Programs that are known from comparisons of processors and engines. What they do is said in their sources. */
import { readFile } from "node:fs/promises";

/** A module without imports that exports `run(n: i32) -> i32`. */
export interface Kernel {
  readonly name: string;
  /** Of a run that takes 10 to 40 ms on a machine of 2025. */
  readonly n: number;
  /** Of `run(n)`, as i32. */
  readonly result: number;
  /** Of a run that is short, and after some of which an engine has found out what is worth optimising. */
  readonly warmUpN: number;
}

export const KERNELS: readonly Kernel[] = [
  { name: "sieve", n: 100, result: -1_504_000_128, warmUpN: 2 },
  { name: "fib", n: 33, result: 3_524_578, warmUpN: 18 },
  { name: "matmul-f32", n: 25, result: -227_030_728, warmUpN: 1 },
  { name: "matmul-i8", n: 100, result: 235_116_573, warmUpN: 1 },
  { name: "mandelbrot", n: 4_000, result: 5_009_960, warmUpN: 20 },
  { name: "nbody", n: 200_000, result: -1_565_776_538, warmUpN: 500 },
  { name: "crc32", n: 60, result: -1_864_165_973, warmUpN: 1 },
  { name: "sort", n: 8, result: 2_043_247_176, warmUpN: 1 },
  { name: "sha256", n: 40_000, result: 323_638_800, warmUpN: 300 },
  { name: "core-mix", n: 1_500, result: 49_216, warmUpN: 5 },
  { name: "bytecode", n: 7_000, result: 568_077, warmUpN: 30 },
];

export function kernelUrl(name: string, ending: "c" | "wasm"): URL {
  return new URL(`${name}.${ending}`, import.meta.url);
}

export async function readKernel(name: string): Promise<Uint8Array<ArrayBuffer>> {
  return Uint8Array.from(await readFile(kernelUrl(name, "wasm")));
}
