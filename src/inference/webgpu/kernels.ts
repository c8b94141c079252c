import arithmetic from "./kernels/arithmetic.wgsl?raw";
import attend from "./kernels/attend.wgsl?raw";
import embed from "./kernels/embed.wgsl?raw";
import gate from "./kernels/gate.wgsl?raw";
import heads from "./kernels/heads.wgsl?raw";
import multiply from "./kernels/multiply.wgsl?raw";
import multiplyRow from "./kernels/multiply-row.wgsl?raw";
import norm from "./kernels/norm.wgsl?raw";
import plain from "./kernels/plain.wgsl?raw";
import quantise from "./kernels/quantise.wgsl?raw";
import storeRow from "./kernels/store-row.wgsl?raw";
import weights from "./kernels/weights.wgsl?raw";

/** Where the row that is quantised comes from. */
export type RowSource = "norm" | "plain" | "gate";

export type KernelName = "embed" | "heads" | "attend" | "multiply" | RowSource | `${RowSource}-multiply`;

const stored = (source: string): string => arithmetic + quantise + source + storeRow;
const fused = (source: string): string => arithmetic + quantise + source + weights + multiplyRow;

/** Whole programs, from what they share and what is their own. */
const PROGRAMS: Readonly<Record<KernelName, string>> = {
  embed: arithmetic + embed,
  norm: stored(norm),
  plain: stored(plain),
  gate: stored(gate),
  multiply: arithmetic + weights + multiply,
  "norm-multiply": fused(norm),
  "plain-multiply": fused(plain),
  "gate-multiply": fused(gate),
  heads: arithmetic + heads,
  attend: arithmetic + attend,
};

/** Values of a kernel's overrides. */
export type Constants = Readonly<Record<string, number>>;

/** Rows that one thread of `multiply` computes, as in multiply.wgsl. */
export const ROWS_PER_THREAD = 4;

/** Compiles each kernel once per set of constants. */
export class KernelCache {
  readonly #device: GPUDevice;
  readonly #modules = new Map<KernelName, GPUShaderModule>();
  readonly #pipelines = new Map<string, Promise<GPUComputePipeline>>();

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  /** @throws GPUPipelineError where the device's compiler refuses */
  pipeline(name: KernelName, constants: Constants): Promise<GPUComputePipeline> {
    const key = `${name} ${JSON.stringify(constants)}`;
    const known = this.#pipelines.get(key);
    if (known !== undefined) return known;
    const module = this.#modules.get(name) ?? this.#device.createShaderModule({ code: PROGRAMS[name] });
    this.#modules.set(name, module);
    const pipeline = this.#device.createComputePipelineAsync({
      layout: "auto",
      compute: { module, entryPoint: "main", constants: { ...constants } },
    });
    this.#pipelines.set(key, pipeline);
    return pipeline;
  }
}
