import type { Backend, Decoder, OpenedModel } from "../backend.ts";
import { Breaks } from "../breaks.ts";
import type { LlamaModel } from "../model/llama-model.ts";
import { checkTokens } from "../check-tokens.ts";
import { openWasmPart, type WasmOptions, type WasmPart } from "./wasm-part.ts";

/** Models on WebAssembly SIMD, in the thread that calls. */
export function createWasmBackend(options: WasmOptions = {}): Backend {
  return {
    name: "wasm",
    open: async (model) => new WasmDecoder(model, await openWasmPart(model, options)),
  };
}

class WasmDecoder implements Decoder {
  readonly model: OpenedModel;
  readonly #part: WasmPart;
  #positions = 0;

  constructor(model: LlamaModel, part: WasmPart) {
    this.model = { shape: part.shape, exp2Table: model.exp2Table.slice() };
    this.#part = part;
  }

  get positions(): number {
    return this.#positions;
  }

  get memoryBytes(): number {
    return this.#part.memoryBytes;
  }

  async forward(tokens: readonly number[], signal?: AbortSignal): Promise<Int32Array> {
    checkTokens(this.model, this.#positions, tokens);
    const hidden = await this.#part.forwardTokens(this.#positions, tokens, new Breaks(signal));
    this.#positions += tokens.length;
    return hidden;
  }

  async logits(hidden: Int32Array, signal?: AbortSignal): Promise<Int32Array> {
    return this.#part.logits(hidden, new Breaks(signal));
  }

  async likeliest(hidden: Int32Array, guesses: readonly number[], signal?: AbortSignal): Promise<Int32Array> {
    return this.#part.likeliest(hidden, guesses, new Breaks(signal));
  }

  /** The positions from `count` on are overwritten by the next ones. */
  rewind(count: number): void {
    this.#positions = Math.min(count, this.#positions);
  }

  close(): void {
    this.#part.close();
  }
}
