import type { Backend, Decoder } from "../backend.ts";
import { Breaks } from "../breaks.ts";
import type { LlamaModel } from "../model/llama-model.ts";
import { ReferenceLlama } from "./llama.ts";

/** The specification as a backend. */
export const referenceBackend: Backend = {
  name: "reference",
  open: (model) => Promise.resolve(new ReferenceDecoder(model)),
};

class ReferenceDecoder implements Decoder {
  readonly model: LlamaModel;
  readonly #llama: ReferenceLlama;

  constructor(model: LlamaModel) {
    this.model = model;
    this.#llama = new ReferenceLlama(model);
  }

  get positions(): number {
    return this.#llama.positions;
  }

  get memoryBytes(): number {
    const { layers, keyHeads, headSize, context } = this.model.shape;
    return 2 * layers * keyHeads * context * (2 * headSize + 4);
  }

  async forward(tokens: readonly number[], signal?: AbortSignal): Promise<Int32Array> {
    const { width } = this.model.shape;
    const breaks = new Breaks(signal);
    const hidden = new Int32Array(tokens.length * width);
    const before = this.positions;
    try {
      for (const [at, token] of tokens.entries()) {
        hidden.set(this.#llama.step(token), at * width);
        // oxlint-disable-next-line no-await-in-loop -- position after position
        await breaks.take();
      }
    } catch (error) {
      this.rewind(before);
      throw error;
    }
    return hidden;
  }

  logits(hidden: Int32Array): Promise<Int32Array> {
    const { width, vocabulary } = this.model.shape;
    const logits = new Int32Array((hidden.length / width) * vocabulary);
    for (let row = 0; row * width < hidden.length; row += 1)
      logits.set(this.#llama.logits(hidden.subarray(row * width, (row + 1) * width)), row * vocabulary);
    return Promise.resolve(logits);
  }

  rewind(count: number): void {
    this.#llama.rewind(count);
  }

  close(): void {}
}
