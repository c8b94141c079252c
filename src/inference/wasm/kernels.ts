import { FailureError } from "../../protocol/failure.ts";
import { baselineModule } from "./modules/baseline.ts";
import { relaxedModule } from "./modules/relaxed.ts";

/** Fixed-width SIMD, or with the relaxed dot product of bytes. Both give the same bits. */
export type KernelBuild = "baseline" | "relaxed";

/** Functions of kernels/llama.c. Numbers are addresses, counts and bits of u32 or i32. */
export interface Kernels {
  packPanel(matrix: number, panel: number, rows: number, multipliers: number, room: number): void;
  embed(session: number, row: number, values: number, size: number, scale: number): void;
  layer(session: number, layer: number, position: number, count: number): void;
  logits(session: number, norm: number, head: number, x: number, count: number, out: number): void;
  likeliest(
    session: number,
    norm: number,
    head: number,
    x: number,
    count: number,
    vocabulary: number,
    best: number,
  ): void;
  /** 1 where the machine's instructions are the exact ones. */
  selfTest(): number;
}

const NAMES = ["packPanel", "embed", "layer", "logits", "likeliest", "selfTest"] as const;

/** Addresses below belong to the stack and the constants of the kernels. */
export const FIRST_ADDRESS = 65_536;
const PAGE_BYTES = 65_536;

function isKernels(exports: object): exports is Kernels {
  return NAMES.every((name) => name in exports);
}

/** A program's functions, and the memory that they work in. */
export interface Loaded<T> {
  readonly kernels: T;
  readonly memory: WebAssembly.Memory;
}

export type LoadedKernels = Loaded<Kernels>;

/** @param bytes of memory @throws FailureError `no-memory` */
export function loadKernels(build: KernelBuild, bytes: number): Promise<LoadedKernels> {
  return instantiate(build === "relaxed" ? relaxedModule : baselineModule, bytes, isKernels);
}

/** @param module of modules/, compiled once @param bytes of memory @throws FailureError `no-memory` */
export async function instantiate<T extends object>(
  module: string,
  bytes: number,
  isWhole: (exports: object) => exports is T,
): Promise<Loaded<T>> {
  const compiling = modules.get(module) ?? WebAssembly.compile(bytesOfBase64(module));
  modules.set(module, compiling);
  const compiled = await compiling;
  const memory = reserveMemory(bytes);
  const { exports } = await WebAssembly.instantiate(compiled, { env: { memory } });
  if (!isWhole(exports)) throw new TypeError("the module does not have the kernels");
  return { kernels: exports, memory };
}

const modules = new Map<string, Promise<WebAssembly.Module>>();

function bytesOfBase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

function reserveMemory(bytes: number): WebAssembly.Memory {
  const pages = Math.ceil(bytes / PAGE_BYTES);
  try {
    return new WebAssembly.Memory({ initial: pages, maximum: pages });
  } catch (cause) {
    throw new FailureError("no-memory", `${bytes} bytes for a model`, { cause });
  }
}

let fastest: Promise<KernelBuild> | undefined;

/** The build for this machine: relaxed where its instructions exist and are exact. */
export function fastestBuild(): Promise<KernelBuild> {
  fastest ??= chooseBuild();
  return fastest;
}

async function chooseBuild(): Promise<KernelBuild> {
  if (!WebAssembly.validate(bytesOfBase64(relaxedModule))) return "baseline";
  const { kernels } = await loadKernels("relaxed", FIRST_ADDRESS);
  return kernels.selfTest() === 1 ? "relaxed" : "baseline";
}
