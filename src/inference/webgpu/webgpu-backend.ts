import { FailureError } from "../../protocol/failure.ts";
import type { Backend, Decoder } from "../backend.ts";
import type { LlamaModel } from "../model/llama-model.ts";
import { type ForwardPlan, planForward, type Step } from "./forward-plan.ts";
import { KernelCache } from "./kernels.ts";
import { BufferMaker, uploadModel } from "./model-buffers.ts";

/** Positions of one submit. */
const MOST_ROWS = 32;
/** Scores of a batch take at most this, and a buffer at most what every device allows. */
const MOST_SCORE_BYTES: number = 32 * 1024 * 1024;

/** Models on a WebGPU device, with default limits and no optional feature. */
export class WebGpuBackend implements Backend {
  readonly name = "webgpu";
  readonly #device: GPUDevice;
  readonly #kernels: KernelCache;

  constructor(device: GPUDevice) {
    this.#device = device;
    this.#kernels = new KernelCache(device);
  }

  async open(model: LlamaModel): Promise<Decoder> {
    const { heads, context } = model.shape;
    const rows = Math.max(1, Math.min(MOST_ROWS, Math.floor(MOST_SCORE_BYTES / (4 * heads * context))));
    const maker = new BufferMaker(this.#device);
    this.#device.pushErrorScope("out-of-memory");
    const plan = await planForward(
      this.#device,
      this.#kernels,
      model,
      uploadModel(model, maker),
      maker,
      rows,
    );
    const shortage = await this.#device.popErrorScope();
    if (shortage !== null) {
      maker.destroy();
      throw new FailureError("no-memory", `the GPU has no room for the model: ${shortage.message}`);
    }
    return new WebGpuDecoder(this.#device, model, plan, maker, rows);
  }
}

class WebGpuDecoder implements Decoder {
  readonly model: LlamaModel;
  readonly #device: GPUDevice;
  readonly #plan: ForwardPlan;
  readonly #maker: BufferMaker;
  readonly #rows: number;
  #positions = 0;

  constructor(device: GPUDevice, model: LlamaModel, plan: ForwardPlan, maker: BufferMaker, rows: number) {
    this.model = model;
    this.#device = device;
    this.#plan = plan;
    this.#maker = maker;
    this.#rows = rows;
  }

  get positions(): number {
    return this.#positions;
  }

  get memoryBytes(): number {
    return this.#maker.bytes;
  }

  async forward(tokens: readonly number[]): Promise<Int32Array> {
    const { width, vocabulary, context } = this.model.shape;
    const wrong = tokens.find((token) => !(token >= 0 && token < vocabulary));
    if (wrong !== undefined) throw new RangeError(`no token ${wrong}`);
    if (this.#positions + tokens.length > context)
      throw new RangeError(`the context has ${context} positions`);
    const { buffers, forward, forwardOne } = this.#plan;
    const hidden = new Int32Array(tokens.length * width);
    for (let at = 0; at < tokens.length; at += this.#rows) {
      const part = tokens.slice(at, at + this.#rows);
      this.#device.queue.writeBuffer(buffers.tokens, 0, Uint32Array.from(part));
      const steps = part.length === 1 ? forwardOne : forward;
      // oxlint-disable-next-line no-await-in-loop -- a batch needs the keys of the one before
      hidden.set(await this.#run(steps, part.length, buffers.residual, part.length * width), at * width);
      this.#positions += part.length;
    }
    return hidden;
  }

  async logits(hidden: Int32Array): Promise<Int32Array> {
    const { width, vocabulary } = this.model.shape;
    const { buffers, logits } = this.#plan;
    const rows = hidden.length / width;
    const scores = new Int32Array(rows * vocabulary);
    for (let at = 0; at < rows; at += this.#rows) {
      const count = Math.min(this.#rows, rows - at);
      this.#device.queue.writeBuffer(buffers.residual, 0, hidden.slice(at * width, (at + count) * width));
      // oxlint-disable-next-line no-await-in-loop -- the buffers serve one batch at a time
      scores.set(await this.#run(logits, count, buffers.logits, count * vocabulary), at * vocabulary);
    }
    return scores;
  }

  rewind(count: number): void {
    this.#positions = Math.min(count, this.#positions);
  }

  close(): void {
    this.#maker.destroy();
  }

  /** Submits steps for a batch of rows and reads back the first `count` words of `result`. */
  async #run(steps: readonly Step[], rows: number, result: GPUBuffer, count: number): Promise<Int32Array> {
    const { batch } = this.#plan.buffers;
    this.#device.queue.writeBuffer(batch, 0, Uint32Array.of(rows, this.#positions));
    const commands = this.#device.createCommandEncoder();
    const pass = commands.beginComputePass();
    for (const { pipeline, bindings, grid } of steps) {
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, bindings);
      pass.dispatchWorkgroups(...grid(rows));
    }
    pass.end();
    const reading = this.#device.createBuffer({
      size: 4 * count,
      usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
    });
    commands.copyBufferToBuffer(result, 0, reading, 0, 4 * count);
    this.#device.queue.submit([commands.finish()]);
    await reading.mapAsync(GPUMapMode.READ);
    const values = new Int32Array(reading.getMappedRange().slice(0));
    reading.destroy();
    return values;
  }
}
