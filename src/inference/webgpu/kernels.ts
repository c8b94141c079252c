import arithmetic from "./kernels/arithmetic.wgsl?raw";
import attend from "./kernels/attend.wgsl?raw";
import embed from "./kernels/embed.wgsl?raw";
import heads from "./kernels/heads.wgsl?raw";
import layerRow from "./kernels/layer-row.wgsl?raw";
import layerNorm from "./kernels/layer-norm.wgsl?raw";
import mean from "./kernels/mean.wgsl?raw";
import multiplyRow from "./kernels/multiply-row.wgsl?raw";
import multiplyTile from "./kernels/multiply-tile.wgsl?raw";
import multiply from "./kernels/multiply.wgsl?raw";
import quantise from "./kernels/quantise.wgsl?raw";
import rows from "./kernels/rows.wgsl?raw";
import sigmoid from "./kernels/sigmoid.wgsl?raw";
import slice from "./kernels/slice.wgsl?raw";
import storeRow from "./kernels/store-row.wgsl?raw";
import sweep from "./kernels/sweep.wgsl?raw";
import unit from "./kernels/unit.wgsl?raw";
import weights from "./kernels/weights.wgsl?raw";

/** Kernels that quantise rows. */
export type RowKernel = "layer-row" | "layer-norm" | "mean";
/** Kernels that multiply several rows, from which the faster one is chosen. */
export type RowsKernel = "multiply" | "multiply-tile";

export const KERNEL_NAMES = [
  "embed",
  "heads",
  "attend",
  "unit",
  "sweep",
  "layer-row",
  "layer-norm",
  "mean",
  "multiply",
  "multiply-tile",
  "multiply-row",
] as const;
export type KernelName = (typeof KERNEL_NAMES)[number];

/** The WGSL text of each kernel. */
export type Programs = Readonly<Record<KernelName, string>>;

const base = arithmetic + slice;
const stored = (source: string): string => base + quantise + source + storeRow;

/** Whole programs, from what they share and what is their own. */
export const PROGRAMS: Programs = {
  embed: base + embed,
  "layer-row": stored(sigmoid + layerRow),
  "layer-norm": stored(layerNorm),
  mean: stored(mean),
  multiply: base + weights + rows + multiply,
  "multiply-tile": base + weights + rows + multiplyTile,
  "multiply-row": base + quantise + sigmoid + layerRow + weights + multiplyRow,
  heads: base + heads,
  attend: base + attend,
  unit: base + sigmoid + unit,
  sweep: base + sweep,
};

/** Values of a kernel's overrides. */
export type Constants = Readonly<Record<string, number>>;

/** A compiled kernel and what is bound to it as group 0; group 1 is the slice. */
export interface Kernel {
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
}

/** Bytes of the uniform `Slice`. */
export const SLICE_BYTES = 16;

/** Compiles each kernel once per set of constants. Sizes of models are no constants, so kernels serve all models. */
export class KernelCache {
  readonly sliceLayout: GPUBindGroupLayout;
  readonly #device: GPUDevice;
  readonly #programs: Programs;
  readonly #modules = new Map<KernelName, GPUShaderModule>();
  readonly #kernels = new Map<string, Promise<Kernel>>();

  constructor(device: GPUDevice, programs: Programs = PROGRAMS) {
    this.#device = device;
    this.#programs = programs;
    this.sliceLayout = device.createBindGroupLayout({
      entries: [
        {
          binding: 0,
          visibility: GPUShaderStage.COMPUTE,
          buffer: { type: "uniform", hasDynamicOffset: true, minBindingSize: SLICE_BYTES },
        },
      ],
    });
  }

  /** Kernels compiled so far. */
  get compiled(): number {
    return this.#kernels.size;
  }

  /** @throws GPUPipelineError where the device's compiler refuses */
  kernel(name: KernelName, constants: Constants): Promise<Kernel> {
    const key = `${name} ${JSON.stringify(constants)}`;
    const known = this.#kernels.get(key);
    if (known !== undefined) return known;
    const kernel = this.#compile(name, constants);
    this.#kernels.set(key, kernel);
    return kernel;
  }

  async #compile(name: KernelName, constants: Constants): Promise<Kernel> {
    const device = this.#device;
    const code = this.#programs[name];
    const module = this.#modules.get(name) ?? device.createShaderModule({ label: name, code });
    this.#modules.set(name, module);
    const layout = device.createBindGroupLayout({ label: name, entries: bindingsOf(code) });
    const pipeline = await device.createComputePipelineAsync({
      label: name,
      layout: device.createPipelineLayout({ bindGroupLayouts: [layout, this.sliceLayout] }),
      compute: { module, entryPoint: "main", constants: { ...constants } },
    });
    return { pipeline, layout };
  }
}

const TYPES: ReadonlyMap<string, GPUBufferBindingType> = new Map([
  ["uniform", "uniform"],
  ["storage, read", "read-only-storage"],
  ["storage, read_write", "storage"],
]);

/** The bindings of group 0, as the program declares them. */
function bindingsOf(code: string): GPUBindGroupLayoutEntry[] {
  return Array.from(code.matchAll(/@group\(0\) @binding\((\d+)\) var<([^>]+)>/gu), ([, binding, kind]) => ({
    binding: Number(binding),
    visibility: GPUShaderStage.COMPUTE,
    buffer: { type: TYPES.get(kind ?? "") ?? "storage" },
  }));
}
