import type { Encoder, OpenedEncoder } from "../backend.ts";
import { keptTokens } from "../kept-tokens.ts";
import type { EncoderModel } from "../model/encoder-model.ts";
import type { BufferMaker } from "./buffer-maker.ts";
import type { EncoderPlan } from "./encoder-plan.ts";
import type { Submitter } from "./submitter.ts";

/** All weights are on the device: nothing of it holds on to the model's file. */
export class WebGpuEncoder implements Encoder {
  readonly model: OpenedEncoder;
  readonly #device: GPUDevice;
  readonly #plan: EncoderPlan;
  readonly #maker: BufferMaker;
  readonly #submitter: Submitter;

  constructor(
    device: GPUDevice,
    { shape }: EncoderModel,
    plan: EncoderPlan,
    maker: BufferMaker,
    submitter: Submitter,
  ) {
    this.model = { shape };
    this.#device = device;
    this.#plan = plan;
    this.#maker = maker;
    this.#submitter = submitter;
  }

  get memoryBytes(): number {
    return this.#maker.bytes;
  }

  async encode(texts: readonly (readonly number[])[], signal?: AbortSignal): Promise<readonly Int16Array[]> {
    const kept = keptTokens(this.model, texts);
    signal?.throwIfAborted();
    const rows: Int16Array[] = [];
    const { rows: steps, pool, output, tokens } = this.#plan;
    const result = { buffer: output, words: this.model.shape.output };
    for (const text of kept) {
      this.#device.queue.writeBuffer(tokens, 0, Uint32Array.from(text));
      const batch = { rows: text.length, first: 0 };
      // oxlint-disable-next-line no-await-in-loop -- the buffers serve one text at a time
      const row = await this.#submitter.run(
        [
          { steps, batch },
          { steps: pool, batch: ONE_ROW },
        ],
        result,
        signal,
      );
      rows.push(Int16Array.from(row));
    }
    return rows;
  }

  close(): void {
    this.#maker.destroy();
  }
}

const ONE_ROW = { rows: 1, first: 0 } as const;
