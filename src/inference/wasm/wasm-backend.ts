import type { Backend, Decoder, OpenedModel } from "../backend.ts";
import { Breaks } from "../breaks.ts";
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
      const placement = placeModel(model, mostPositions);
      const loaded = await loadKernels(build ?? (await fastestBuild()), placement.placed.bytes);
      placement.fill(loaded);
      return new WasmDecoder(model, placement.placed, loaded);
    },
  };
}

/** Multiply-adds of a layer's matrices for one row. */
function layerWork({ width, inner, heads, keyHeads, headSize }: OpenedModel["shape"]): number {
  return width * (headSize * 2 * (heads + keyHeads) + 3 * inner);
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

  async forward(tokens: readonly number[], signal?: AbortSignal): Promise<Int32Array> {
    const { width, vocabulary, context } = this.model.shape;
    for (const token of tokens)
      if (!(token >= 0 && token < vocabulary)) throw new RangeError(`no token ${token}`);
    if (this.#positions + tokens.length > context)
      throw new RangeError(`the context has ${context} positions`);
    const breaks = new Breaks(signal);
    const rows = breaks.rows(MAX_BATCH, layerWork(this.model.shape));
    const hidden = new Int32Array(tokens.length * width);
    const before = this.#positions;
    try {
      for (let start = 0; start < tokens.length; start += rows)
        // oxlint-disable-next-line no-await-in-loop -- a batch needs the keys of the one before
        await this.#batch(tokens.slice(start, start + rows), hidden.subarray(start * width), breaks);
    } catch (error) {
      this.#positions = before;
      throw error;
    }
    return hidden;
  }

  async #batch(tokens: readonly number[], hidden: Int32Array, breaks: Breaks): Promise<void> {
    const { kernels, memory } = this.#open();
    const { layers, x, pitch, embeddings } = this.#placed;
    const session = this.#session;
    const { width } = this.model.shape;
    for (const [row, token] of tokens.entries()) {
      const scale = this.#embeddingScales[token] ?? 0;
      kernels.embed(session, row, embeddings + 2 * token * width, width, scale);
    }
    for (const layer of layers) {
      // oxlint-disable-next-line no-await-in-loop -- layer after layer
      await breaks.take();
      kernels.layer(session, layer, this.#positions, tokens.length);
    }
    this.#positions += tokens.length;
    for (let row = 0; row < tokens.length; row += 1)
      hidden.set(new Int32Array(memory.buffer, x + 4 * row * pitch, width), row * width);
  }

  async logits(hidden: Int32Array, signal?: AbortSignal): Promise<Int32Array> {
    const { width, vocabulary } = this.model.shape;
    const rows = hidden.length / width;
    const { logitPitch } = this.#placed;
    const breaks = new Breaks(signal);
    const logitRows = breaks.rows(this.#placed.logitRows, width * vocabulary);
    // What is one piece in the kernels' memory is copied as one.
    if (rows <= logitRows && logitPitch === vocabulary) return this.#logits(hidden, rows).slice();
    const scores = new Int32Array(rows * vocabulary);
    for (let start = 0; start < rows; start += logitRows) {
      const count = Math.min(logitRows, rows - start);
      // oxlint-disable-next-line no-await-in-loop -- the kernels' memory has room for so many rows
      await breaks.take();
      const part = this.#logits(hidden.subarray(start * width), count);
      for (let row = 0; row < count; row += 1)
        scores.set(
          part.subarray(row * logitPitch, row * logitPitch + vocabulary),
          (start + row) * vocabulary,
        );
    }
    return scores;
  }

  async likeliest(hidden: Int32Array, guesses: readonly number[], signal?: AbortSignal): Promise<Int32Array> {
    const { width, vocabulary } = this.model.shape;
    const { kernels, memory } = this.#open();
    const { finalNorm, head, x, best } = this.#placed;
    const found = new Int32Array(hidden.length / width);
    const breaks = new Breaks(signal);
    const rows = breaks.rows(MAX_BATCH, width * vocabulary);
    for (let start = 0; start < found.length; start += rows) {
      const count = Math.min(rows, found.length - start);
      // oxlint-disable-next-line no-await-in-loop -- the kernels' memory has room for so many rows
      await breaks.take();
      this.#place(hidden.subarray(start * width), count);
      const triples = new Int32Array(memory.buffer, best, 3 * count);
      for (let row = 0; row < count; row += 1) {
        const guess = guesses[start + row] ?? 0;
        triples[3 * row + 1] = guess >= 0 && guess < vocabulary ? guess : 0;
      }
      kernels.likeliest(this.#session, finalNorm, head, x, count, vocabulary, best);
      for (let row = 0; row < count; row += 1) found[start + row] = triples[3 * row + 1] ?? 0;
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
