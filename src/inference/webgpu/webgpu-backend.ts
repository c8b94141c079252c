import { FailureError } from "../../protocol/failure.ts";
import type { Backend, EncoderBackend } from "../backend.ts";
import type { EncoderModel } from "../model/encoder-model.ts";
import type { LlamaModel } from "../model/llama-model.ts";
import { BufferMaker, type MemoryBudget } from "./buffer-maker.ts";
import type { Choice } from "./choice.ts";
import type { DeviceLife } from "./device-life.ts";
import { planEncoder } from "./encoder-plan.ts";
import type { KernelCache } from "./kernels.ts";
import { MOST_ROWS, MOST_SCORE_BYTES } from "./limits.ts";
import { longestRow, planLlama } from "./llama-plan.ts";
import type { Pace } from "./pace.ts";
import { Planner } from "./plan.ts";
import { Submitter } from "./submitter.ts";
import { WebGpuDecoder } from "./webgpu-decoder.ts";
import { WebGpuEncoder } from "./webgpu-encoder.ts";

/** A device with what belongs to it. */
export interface DeviceParts {
  readonly device: GPUDevice;
  readonly kernels: KernelCache;
  readonly life: DeviceLife;
  readonly pace: Pace;
  readonly choice: Choice;
  readonly budget: MemoryBudget;
}

/** Asks, before a model runs, whether the kernels that it needs are right. @throws FailureError `gpu-lost` where they are not */
export type Prove = (model: LlamaModel | EncoderModel) => Promise<void>;

/** Models on a WebGPU device, with default limits and no optional feature. */
export class WebGpuBackend implements Backend, EncoderBackend {
  readonly name = "webgpu";
  readonly #parts: DeviceParts;
  readonly #prove: Prove | undefined;

  /** @param prove not given where nothing needs proof */
  constructor(parts: DeviceParts, prove?: Prove) {
    this.#parts = parts;
    this.#prove = prove;
  }

  async open(model: LlamaModel): Promise<WebGpuDecoder> {
    await this.#prove?.(model);
    const { device, kernels, life, pace, choice } = this.#parts;
    const { shape } = model;
    const rowScores = 4 * shape.heads * shape.context;
    const rows = Math.max(1, Math.min(MOST_ROWS, shape.context, Math.floor(MOST_SCORE_BYTES / rowScores)));
    return this.#within(async (maker) => {
      const planner = new Planner(device, kernels, choice, maker, rows, longestRow(shape));
      const plan = await planLlama(planner, model, rows);
      const words = Math.max(rows * shape.width, plan.logitRows * shape.vocabulary);
      const submitter = new Submitter(device, kernels, life, pace, maker, words);
      return new WebGpuDecoder(device, model, plan, maker, submitter, rows);
    });
  }

  async openEncoder(model: EncoderModel): Promise<WebGpuEncoder> {
    await this.#prove?.(model);
    const { device, kernels, life, pace, choice } = this.#parts;
    return this.#within(async (maker) => {
      const plan = await planEncoder(
        (...sizes) => new Planner(device, kernels, choice, maker, ...sizes),
        model,
      );
      const submitter = new Submitter(device, kernels, life, pace, maker, model.shape.output);
      return new WebGpuEncoder(device, model, plan, maker, submitter);
    });
  }

  /** Makes something of buffers, all of which are given back where that fails. */
  async #within<T>(make: (maker: BufferMaker) => Promise<T>): Promise<T> {
    const { device, life, budget } = this.#parts;
    life.check();
    const maker = new BufferMaker(device, budget);
    device.pushErrorScope("out-of-memory");
    let shortage: Promise<GPUError | null> | undefined;
    try {
      const making = make(maker);
      const made = await life.settled(making);
      shortage = device.popErrorScope();
      const error = await life.settled(shortage);
      if (error !== null)
        throw new FailureError("no-memory", `${maker.bytes} bytes on the GPU: ${error.message}`);
      return made;
    } catch (error) {
      if (shortage === undefined) void device.popErrorScope().catch(() => undefined);
      maker.destroy();
      throw error;
    }
  }
}
