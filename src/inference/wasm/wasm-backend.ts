import type { Backend, Decoder } from "../backend.ts";
import type { LlamaModel } from "../model/llama-model.ts";
import { fastestBuild, type KernelBuild, type LoadedKernels, loadKernels } from "./kernels.ts";
import { MAX_BATCH, MAX_LOGIT_ROWS, type PlacedModel, placeModel } from "./place-model.ts";

/** Models on WebAssembly SIMD, in the thread that calls. @param build the fastest that is exact here, if not given */
export function createWasmBackend(build?: KernelBuild): Backend {
  return {
    name: "wasm",
    async open(model) {
      const placed = placeModel(model);
      const loaded = await loadKernels(build ?? (await fastestBuild()), placed.bytes);
      placed.fill(loaded);
      return new WasmDecoder(model, placed, loaded);
    },
  };
}

/** Of the model itself only the embeddings are still read once it is open. */
class WasmDecoder implements Decoder {
  readonly model: LlamaModel;
  readonly #placed: PlacedModel;
  #loaded: LoadedKernels | undefined;
  #positions = 0;

  constructor(model: LlamaModel, placed: PlacedModel, loaded: LoadedKernels) {
    this.model = model;
    this.#placed = placed;
    this.#loaded = loaded;
  }

  get positions(): number {
    return this.#positions;
  }

  get memoryBytes(): number {
    const { embeddings } = this.model;
    const own = this.#loaded?.memory.buffer.byteLength ?? 0;
    return own + embeddings.values.byteLength + embeddings.scales.byteLength;
  }

  // oxlint-disable-next-line typescript/require-await -- errors are rejections, as with other backends
  async forward(tokens: readonly number[]): Promise<Int32Array> {
    const { width, vocabulary, context } = this.model.shape;
    for (const token of tokens)
      if (!(token >= 0 && token < vocabulary)) throw new RangeError(`no token ${token}`);
    if (this.#positions + tokens.length > context)
      throw new RangeError(`the context has ${context} positions`);
    const hidden = new Int32Array(tokens.length * width);
    for (let start = 0; start < tokens.length; start += MAX_BATCH)
      this.#batch(tokens.slice(start, start + MAX_BATCH), hidden.subarray(start * width));
    return hidden;
  }

  #batch(tokens: readonly number[], hidden: Int32Array): void {
    const { kernels, memory } = this.#open();
    const { session, layers, x, pitch, embedding } = this.#placed;
    const { embeddings, shape } = this.model;
    const { width } = shape;
    const room = new Int16Array(memory.buffer, embedding, width);
    for (const [row, token] of tokens.entries()) {
      room.set(embeddings.values.subarray(token * width, (token + 1) * width));
      kernels.embed(session, row, embedding, width, embeddings.scales[token] ?? 0);
    }
    for (const layer of layers) kernels.layer(session, layer, this.#positions, tokens.length);
    this.#positions += tokens.length;
    for (let row = 0; row < tokens.length; row += 1)
      hidden.set(new Int32Array(memory.buffer, x + 4 * row * pitch, width), row * width);
  }

  // oxlint-disable-next-line typescript/require-await
  async logits(hidden: Int32Array): Promise<Int32Array> {
    const { width, vocabulary } = this.model.shape;
    const rows = hidden.length / width;
    const scores = new Int32Array(rows * vocabulary);
    for (let start = 0; start < rows; start += MAX_LOGIT_ROWS)
      this.#logits(hidden.subarray(start * width), scores.subarray(start * vocabulary));
    return scores;
  }

  #logits(hidden: Int32Array, scores: Int32Array): void {
    const { kernels, memory } = this.#open();
    const { session, finalNorm, head, x, pitch, logits, logitPitch } = this.#placed;
    const { width, vocabulary } = this.model.shape;
    const rows = Math.min(MAX_LOGIT_ROWS, hidden.length / width);
    for (let row = 0; row < rows; row += 1)
      new Int32Array(memory.buffer, x + 4 * row * pitch, width).set(
        hidden.subarray(row * width, (row + 1) * width),
      );
    kernels.logits(session, finalNorm, head, x, rows, logits);
    for (let row = 0; row < rows; row += 1)
      scores.set(new Int32Array(memory.buffer, logits + 4 * row * logitPitch, vocabulary), row * vocabulary);
  }

  #open(): LoadedKernels {
    if (this.#loaded === undefined) throw new Error("the decoder is closed");
    return this.#loaded;
  }

  /** The positions from `count` on are overwritten by the next ones. */
  rewind(count: number): void {
    this.#positions = Math.min(count, this.#positions);
  }

  close(): void {
    this.#loaded = undefined;
  }
}
