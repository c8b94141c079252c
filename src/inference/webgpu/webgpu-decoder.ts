import type { Decoder, OpenedModel } from "../backend.ts";
import { checkTokens } from "../check-tokens.ts";
import type { LlamaModel } from "../model/llama-model.ts";
import type { BufferMaker } from "./buffer-maker.ts";
import type { LlamaPlan } from "./llama-plan.ts";
import type { Submitter } from "./submitter.ts";

/** All weights are on the device: nothing of it holds on to the model's file. */
export class WebGpuDecoder implements Decoder {
  readonly model: OpenedModel;
  readonly #device: GPUDevice;
  readonly #plan: LlamaPlan;
  readonly #maker: BufferMaker;
  readonly #submitter: Submitter;
  readonly #rows: number;
  #positions = 0;

  /** @param rows of a batch */
  constructor(
    device: GPUDevice,
    { shape, exp2Table }: LlamaModel,
    plan: LlamaPlan,
    maker: BufferMaker,
    submitter: Submitter,
    rows: number,
  ) {
    this.model = { shape, exp2Table: exp2Table.slice() };
    this.#device = device;
    this.#plan = plan;
    this.#maker = maker;
    this.#submitter = submitter;
    this.#rows = rows;
  }

  get positions(): number {
    return this.#positions;
  }

  get memoryBytes(): number {
    return this.#maker.bytes;
  }

  /** Steps, the dispatches they were cut into, and submits so far. */
  get counts(): { readonly steps: number; readonly dispatches: number; readonly submits: number } {
    const { steps, dispatches, submits } = this.#submitter;
    return { steps, dispatches, submits };
  }

  async forward(tokens: readonly number[], signal?: AbortSignal): Promise<Int32Array> {
    checkTokens(this.model, this.#positions, tokens);
    const { width } = this.model.shape;
    signal?.throwIfAborted();
    const { forward, forwardOne, residual } = this.#plan;
    const hidden = new Int32Array(tokens.length * width);
    // Of what is stopped on the way, nothing is taken in.
    for (let at = 0; at < tokens.length; at += this.#rows) {
      const part = tokens.slice(at, at + this.#rows);
      const batch = { rows: part.length, first: this.#positions + at };
      this.#device.queue.writeBuffer(this.#plan.tokens, 0, Uint32Array.from(part));
      const steps = part.length === 1 ? forwardOne : forward;
      const result = { buffer: residual, words: part.length * width };
      // oxlint-disable-next-line no-await-in-loop -- a batch needs the keys of the one before
      hidden.set(await this.#submitter.run([{ steps, batch }], result, signal), at * width);
    }
    this.#positions += tokens.length;
    return hidden;
  }

  async logits(hidden: Int32Array, signal?: AbortSignal): Promise<Int32Array> {
    const { width, vocabulary } = this.model.shape;
    const { residual, scores, logits, logitsOne, logitRows } = this.#plan;
    const rows = hidden.length / width;
    signal?.throwIfAborted();
    const all = new Int32Array(rows * vocabulary);
    for (let at = 0; at < rows; at += logitRows) {
      const count = Math.min(logitRows, rows - at);
      this.#device.queue.writeBuffer(residual, 0, hidden.slice(at * width, (at + count) * width));
      const steps = count === 1 ? logitsOne : logits;
      const result = { buffer: scores, words: count * vocabulary };
      // oxlint-disable-next-line no-await-in-loop -- the buffers serve one batch at a time
      const part = await this.#submitter.run([{ steps, batch: { rows: count, first: 0 } }], result, signal);
      if (count === rows) return part;
      all.set(part, at * vocabulary);
    }
    return all;
  }

  rewind(count: number): void {
    this.#positions = Math.min(count, this.#positions);
  }

  close(): void {
    this.#maker.destroy();
  }
}
