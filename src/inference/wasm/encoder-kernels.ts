import { bytesOfBase64, type KernelBuild, type Kernels, reserveMemory } from "./kernels.ts";
import { baselineEncoderModule } from "./modules/encoder-baseline.ts";
import { relaxedEncoderModule } from "./modules/encoder-relaxed.ts";

/** Functions of kernels/encoder.c. Numbers are addresses, counts and bits of u32 or i32. */
export interface EncoderKernels extends Pick<Kernels, "packPanel"> {
  embedToken(session: number, row: number, values: number, place: number, size: number, scale: number): void;
  encodeLayer(session: number, layer: number, rows: number): void;
  pool(session: number, matrix: number, width: number, size: number, texts: number, out: number): void;
}

const NAMES = ["packPanel", "embedToken", "encodeLayer", "pool"] as const;

function isKernels(exports: object): exports is EncoderKernels {
  return NAMES.every((name) => name in exports);
}

export interface LoadedEncoderKernels {
  readonly kernels: EncoderKernels;
  readonly memory: WebAssembly.Memory;
}

const modules = new Map<KernelBuild, Promise<WebAssembly.Module>>();

function compiled(build: KernelBuild): Promise<WebAssembly.Module> {
  const known = modules.get(build);
  if (known !== undefined) return known;
  const text = build === "relaxed" ? relaxedEncoderModule : baselineEncoderModule;
  const module = WebAssembly.compile(bytesOfBase64(text));
  modules.set(build, module);
  return module;
}

/** @param bytes of memory @throws FailureError `no-memory` */
export async function loadEncoderKernels(build: KernelBuild, bytes: number): Promise<LoadedEncoderKernels> {
  const module = await compiled(build);
  const memory = reserveMemory(bytes);
  const { exports } = await WebAssembly.instantiate(module, { env: { memory } });
  if (!isKernels(exports)) throw new TypeError("the module does not have the kernels");
  return { kernels: exports, memory };
}
