import type { Encoder, EncoderBackend, OpenedEncoder } from "../backend.ts";
import { Breaks } from "../breaks.ts";
import { positionFuel } from "../embed/fuel.ts";
import { keptTokens } from "../kept-tokens.ts";
import type { EncoderModel } from "../model/encoder-model.ts";
import { type LoadedEncoderKernels, loadEncoderKernels } from "./encoder-kernels.ts";
import { fastestBuild, type KernelBuild } from "./kernels.ts";
import { type PlacedEncoder, placeEncoder, POSITION_UNIT } from "./place-encoder.ts";
import { roundUp } from "./place-model.ts";

export interface WasmEncoderOptions {
  /** The fastest that is exact here, if not given. */
  readonly build?: KernelBuild;
}

/** Sentence encoders on WebAssembly SIMD, in the thread that calls. */
export function createWasmEncoderBackend({ build }: WasmEncoderOptions = {}): EncoderBackend {
  return {
    name: "wasm",
    async openEncoder(model) {
      const placement = placeEncoder(model);
      const loaded = await loadEncoderKernels(build ?? (await fastestBuild()), placement.placed.bytes);
      placement.fill(loaded);
      return new WasmEncoder(model, placement.placed, loaded);
    },
  };
}

type Tokens = readonly number[];

/** All weights are copied: nothing of it holds on to the model's file. */
class WasmEncoder implements Encoder {
  readonly model: OpenedEncoder;
  readonly #embeddingScales: Uint32Array;
  readonly #lastWidth: number;
  /** Multiply-adds of a row in the layer that has most. */
  readonly #rowWork: number;
  readonly #placed: PlacedEncoder;
  #loaded: LoadedEncoderKernels | undefined;

  constructor({ shape, embeddings }: EncoderModel, placed: PlacedEncoder, loaded: LoadedEncoderKernels) {
    this.model = { shape };
    this.#embeddingScales = embeddings.scales.slice();
    this.#lastWidth = shape.layers.at(-1)?.width ?? shape.width;
    this.#rowWork = Math.max(...shape.layers.map((layer) => Number(positionFuel(layer))));
    this.#placed = placed;
    this.#loaded = loaded;
  }

  get memoryBytes(): number {
    const own = this.#loaded?.memory.buffer.byteLength ?? 0;
    return own + this.#embeddingScales.byteLength;
  }

  async encode(texts: readonly Tokens[], signal?: AbortSignal): Promise<readonly Int16Array[]> {
    const kept = keptTokens(this.model, texts);
    const breaks = new Breaks(signal);
    const vectors: Int16Array[] = [];
    for (const batch of this.#batchesOf(kept, breaks.rows(this.#placed.rowLimit, this.#rowWork)))
      // oxlint-disable-next-line no-await-in-loop -- the kernels' memory has room for one batch
      vectors.push(...(await this.#encode(batch, breaks)));
    return vectors;
  }

  /** Neighbours for which there is room at once. @param most rows, if no text has more */
  #batchesOf(texts: readonly Tokens[], most: number): readonly (readonly Tokens[])[] {
    const { positionLimit } = this.#placed;
    const batches: Tokens[][] = [];
    let rows = Infinity;
    let positions = Infinity;
    for (const tokens of texts) {
      const own = roundUp(tokens.length, POSITION_UNIT);
      if (rows + tokens.length > most || positions + own > positionLimit) {
        batches.push([]);
        rows = 0;
        positions = 0;
      }
      batches.at(-1)?.push(tokens);
      rows += tokens.length;
      positions += own;
    }
    return batches;
  }

  async #encode(texts: readonly Tokens[], breaks: Breaks): Promise<readonly Int16Array[]> {
    if (this.#loaded === undefined) throw new Error("the encoder is closed");
    const { kernels, memory } = this.#loaded;
    const { session, layers, pool, places, vectors } = this.#placed;
    const { output } = this.model.shape;
    const rows = texts.reduce((sum, tokens) => sum + tokens.length, 0);
    const placeWords = new Uint32Array(memory.buffer, places, 3 * rows);
    let row = 0;
    let history = 0;
    for (const tokens of texts) {
      for (const [position, token] of tokens.entries()) {
        placeWords.set([history, position, tokens.length], 3 * row);
        this.#embed(this.#loaded, row, token, position);
        row += 1;
      }
      history += roundUp(tokens.length, POSITION_UNIT);
    }
    for (const layer of layers) {
      kernels.encodeLayer(session, layer, rows);
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await breaks.take();
    }
    kernels.pool(session, pool, this.#lastWidth, output, texts.length, vectors);
    return texts.map((_, i) => new Int16Array(memory.buffer, vectors + 2 * i * output, output).slice());
  }

  #embed({ kernels }: LoadedEncoderKernels, row: number, token: number, position: number): void {
    const { session, embeddings, positions } = this.#placed;
    const { width } = this.model.shape;
    const scale = this.#embeddingScales[token] ?? 0;
    const at = 2 * width;
    kernels.embedToken(session, row, embeddings + token * at, positions + position * at, width, scale);
  }

  close(): void {
    this.#loaded = undefined;
  }
}
