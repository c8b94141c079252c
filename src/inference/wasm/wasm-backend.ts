import type { Backend, Decoder, OpenedModel } from "../backend.ts";
import type { LlamaModel } from "../model/llama-model.ts";
import { fastestBuild, type KernelBuild, type LoadedKernels, loadKernels } from "./kernels.ts";
import { MAX_BATCH, type PlacedModel, placeModel } from "./place-model.ts";

export interface WasmOptions {
  /** Room for keys and values of fewer positions than the model's context has: then that is the context. */
  readonly mostPositions?: number;
  /** The fastest that is exact here, if not given. */
  readonly build?: KernelBuild;
}

/** Models on WebAssembly SIMD, in the thread that calls. */
export function createWasmBackend({ build, mostPositions = Infinity }: WasmOptions = {}): Backend {
  return {
    name: "wasm",
    async open(model) {
      const placed = placeModel(model, mostPositions);
      const loaded = await loadKernels(build ?? (await fastestBuild()), placed.bytes);
      placed.fill(loaded);
      return new WasmDecoder(model, placed, loaded);
    },
  };
}

/** All weights are copied: nothing of it holds on to the model's file. */
class WasmDecoder implements Decoder {
  readonly model: OpenedModel;
  readonly #embeddingScales: Uint32Array;
  readonly #placed: PlacedModel;
  readonly #session: number;
  #loaded: LoadedKernels | undefined;
  #positions = 0;

  constructor(model: LlamaModel, placed: PlacedModel, loaded: LoadedKernels) {
    const context = placed.positions;
    this.model = { shape: { ...model.shape, context }, exp2Table: model.exp2Table.slice() };
    this.#embeddingScales = model.embeddings.scales.slice();
    this.#placed = placed;
    this.#session = placed.session;
    this.#loaded = loaded;
  }

  get positions(): number {
    return this.#positions;
  }

  get memoryBytes(): number {
    const own = this.#loaded?.memory.buffer.byteLength ?? 0;
    return own + this.#embeddingScales.byteLength;
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
    const { layers, x, pitch, embeddings } = this.#placed;
    const session = this.#session;
    const { width } = this.model.shape;
    for (const [row, token] of tokens.entries()) {
      const scale = this.#embeddingScales[token] ?? 0;
      kernels.embed(session, row, embeddings + 2 * token * width, width, scale);
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
    const { logitRows, logitPitch } = this.#placed;
    // What is one piece in the kernels' memory is copied as one.
    if (rows <= logitRows && logitPitch === vocabulary) return this.#logits(hidden, rows).slice();
    const scores = new Int32Array(rows * vocabulary);
    for (let start = 0; start < rows; start += logitRows) {
      const count = Math.min(logitRows, rows - start);
      const part = this.#logits(hidden.subarray(start * width), count);
      for (let row = 0; row < count; row += 1)
        scores.set(
          part.subarray(row * logitPitch, row * logitPitch + vocabulary),
          (start + row) * vocabulary,
        );
    }
    return scores;
  }

  // oxlint-disable-next-line typescript/require-await
  async likeliest(hidden: Int32Array, guesses: readonly number[]): Promise<Int32Array> {
    const { width, vocabulary } = this.model.shape;
    const { kernels, memory } = this.#open();
    const { finalNorm, head, x, best } = this.#placed;
    const found = new Int32Array(hidden.length / width);
    for (let start = 0; start < found.length; start += MAX_BATCH) {
      const count = Math.min(MAX_BATCH, found.length - start);
      this.#place(hidden.subarray(start * width), count);
      const pairs = new Int32Array(memory.buffer, best, 2 * count);
      for (let row = 0; row < count; row += 1) {
        const guess = guesses[start + row] ?? 0;
        pairs[2 * row + 1] = guess >= 0 && guess < vocabulary ? guess : 0;
      }
      kernels.likeliest(this.#session, finalNorm, head, x, count, vocabulary, best);
      for (let row = 0; row < count; row += 1) found[start + row] = pairs[2 * row + 1] ?? 0;
    }
    return found;
  }

  /** Scores of some rows, i32[count, logitPitch], in the kernels' memory until the next call. */
  #logits(hidden: Int32Array, count: number): Int32Array {
    const { kernels, memory } = this.#open();
    const { finalNorm, head, x, logits, logitPitch } = this.#placed;
    this.#place(hidden, count);
    kernels.logits(this.#session, finalNorm, head, x, count, logits);
    return new Int32Array(memory.buffer, logits, count * logitPitch);
  }

  /** Copies rows to where the kernels take them from. */
  #place(hidden: Int32Array, count: number): void {
    const { memory } = this.#open();
    const { x, pitch } = this.#placed;
    const { width } = this.model.shape;
    for (let row = 0; row < count; row += 1)
      new Int32Array(memory.buffer, x + 4 * row * pitch, width).set(
        hidden.subarray(row * width, (row + 1) * width),
      );
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
