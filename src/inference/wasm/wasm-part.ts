import type { Breaks } from "../breaks.ts";
import type { LlamaShape } from "../model/llama-model.ts";
import { layerWork, type LlamaPart } from "../model/llama-part.ts";
import { fastestBuild, type KernelBuild, type LoadedKernels, loadKernels } from "./kernels.ts";
import { MAX_BATCH, type PlacedHead, type PlacedPart, placeModel } from "./place-model.ts";

export interface WasmOptions {
  /** Room for keys and values of fewer positions than the model's context has: then that is the context. */
  readonly mostPositions?: number;
  /** The fastest that is exact here, if not given. */
  readonly build?: KernelBuild;
}

/** @throws FailureError `no-memory` */
export async function openWasmPart(
  part: LlamaPart,
  { build, mostPositions = Infinity }: WasmOptions = {},
): Promise<WasmPart> {
  const placement = placeModel(part, mostPositions);
  const loaded = await loadKernels(build ?? (await fastestBuild()), placement.placed.bytes);
  placement.fill(loaded);
  return new WasmPart(part, placement.placed, loaded);
}

/**
 * Consecutive layers of a model in the kernels' memory. Positions are the caller's: keys and values are kept where it says,
 * and attended to up to there. All weights are copied: nothing of it holds on to the model's file.
 */
export class WasmPart {
  /** With as many positions as have room. */
  readonly shape: LlamaShape;
  readonly #embeddingScales: Uint32Array;
  readonly #placed: PlacedPart;
  #loaded: LoadedKernels | undefined;

  constructor(part: LlamaPart, placed: PlacedPart, loaded: LoadedKernels) {
    this.shape = { ...part.shape, context: placed.positions };
    this.#embeddingScales = part.embeddings?.scales.slice() ?? new Uint32Array(0);
    this.#placed = placed;
    this.#loaded = loaded;
  }

  get memoryBytes(): number {
    const own = this.#loaded?.memory.buffer.byteLength ?? 0;
    return own + this.#embeddingScales.byteLength;
  }

  /** Takes tokens through embeddings and layers. @returns the residual stream, i32[tokens, width] in Q16 */
  async forwardTokens(position: number, tokens: ArrayLike<number>, breaks: Breaks): Promise<Int32Array> {
    const { width } = this.shape;
    const { embeddings, session } = this.#placed;
    if (embeddings === undefined) throw new TypeError("this part has no embeddings");
    return this.#forward(position, tokens.length, breaks, (start, count) => {
      const { kernels } = this.#open();
      for (let row = 0; row < count; row += 1) {
        const token = tokens[start + row] ?? 0;
        const scale = this.#embeddingScales[token] ?? 0;
        kernels.embed(session, row, embeddings + 2 * token * width, width, scale);
      }
    });
  }

  /** Takes the residual stream of the part before through the layers. @returns the residual stream, i32[rows, width] in Q16 */
  async forwardStream(position: number, stream: Int32Array, breaks: Breaks): Promise<Int32Array> {
    const { width } = this.shape;
    return this.#forward(position, stream.length / width, breaks, (start, count) =>
      this.#place(stream.subarray(start * width), count),
    );
  }

  async #forward(
    position: number,
    count: number,
    breaks: Breaks,
    place: (start: number, count: number) => void,
  ): Promise<Int32Array> {
    const { layers, x, pitch, session } = this.#placed;
    const { width } = this.shape;
    const rows = breaks.rows(MAX_BATCH, layerWork(this.shape));
    const out = new Int32Array(count * width);
    for (let start = 0; start < count; start += rows) {
      const taken = Math.min(rows, count - start);
      place(start, taken);
      for (const layer of layers) {
        // oxlint-disable-next-line no-await-in-loop -- layer after layer
        await breaks.take();
        this.#open().kernels.layer(session, layer, position + start, taken);
      }
      const { memory } = this.#open();
      for (let row = 0; row < taken; row += 1)
        out.set(new Int32Array(memory.buffer, x + 4 * row * pitch, width), (start + row) * width);
    }
    return out;
  }

  /** See Decoder.logits. */
  async logits(hidden: Int32Array, breaks: Breaks): Promise<Int32Array> {
    const { width, vocabulary } = this.shape;
    const { logitPitch, logitRows: most } = this.#head();
    const rows = hidden.length / width;
    const logitRows = breaks.rows(most, width * vocabulary);
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

  /** See Decoder.likeliest. */
  async likeliest(hidden: Int32Array, guesses: ArrayLike<number>, breaks: Breaks): Promise<Int32Array> {
    const { width, vocabulary } = this.shape;
    const { finalNorm, matrix, best } = this.#head();
    const { x, session } = this.#placed;
    const found = new Int32Array(hidden.length / width);
    const rows = breaks.rows(MAX_BATCH, width * vocabulary);
    for (let start = 0; start < found.length; start += rows) {
      const count = Math.min(rows, found.length - start);
      // oxlint-disable-next-line no-await-in-loop -- the kernels' memory has room for so many rows
      await breaks.take();
      const { kernels, memory } = this.#open();
      this.#place(hidden.subarray(start * width), count);
      const triples = new Int32Array(memory.buffer, best, 3 * count);
      for (let row = 0; row < count; row += 1) {
        const guess = guesses[start + row] ?? 0;
        triples[3 * row + 1] = guess >= 0 && guess < vocabulary ? guess : 0;
      }
      kernels.likeliest(session, finalNorm, matrix, x, count, vocabulary, best);
      for (let row = 0; row < count; row += 1) found[start + row] = triples[3 * row + 1] ?? 0;
    }
    return found;
  }

  /** Scores of some rows, i32[count, logitPitch], in the kernels' memory until the next call. */
  #logits(hidden: Int32Array, count: number): Int32Array {
    const { kernels, memory } = this.#open();
    const { finalNorm, matrix, logits, logitPitch } = this.#head();
    this.#place(hidden, count);
    kernels.logits(this.#placed.session, finalNorm, matrix, this.#placed.x, count, logits);
    return new Int32Array(memory.buffer, logits, count * logitPitch);
  }

  /** Copies rows to where the kernels take them from. */
  #place(hidden: Int32Array, count: number): void {
    const { memory } = this.#open();
    const { x, pitch } = this.#placed;
    const { width } = this.shape;
    for (let row = 0; row < count; row += 1)
      new Int32Array(memory.buffer, x + 4 * row * pitch, width).set(
        hidden.subarray(row * width, (row + 1) * width),
      );
  }

  #head(): PlacedHead {
    if (this.#placed.head === undefined) throw new TypeError("this part has no head");
    return this.#placed.head;
  }

  #open(): LoadedKernels {
    if (this.#loaded === undefined) throw new Error("the decoder is closed");
    return this.#loaded;
  }

  close(): void {
    this.#loaded = undefined;
  }
}
