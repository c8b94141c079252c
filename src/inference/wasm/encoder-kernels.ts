import { instantiate, type KernelBuild, type Kernels, type Loaded } from "./kernels.ts";
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

export type LoadedEncoderKernels = Loaded<EncoderKernels>;

/** @param bytes of memory @throws FailureError `no-memory` */
export function loadEncoderKernels(build: KernelBuild, bytes: number): Promise<LoadedEncoderKernels> {
  return instantiate(build === "relaxed" ? relaxedEncoderModule : baselineEncoderModule, bytes, isKernels);
}
