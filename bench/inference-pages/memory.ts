/** Models that stay open, for their memory to be measured from outside. */
import type { Decoder } from "../../src/inference/backend.ts";
import type { LlamaModel } from "../../src/inference/model/llama-model.ts";
import type { Matrix } from "../../src/inference/model/matrix.ts";
import { createWasmBackend } from "../../src/inference/wasm/wasm-backend.ts";
import { randomGguf } from "./random-gguf.ts";
import { randomModel, SHAPE_135M } from "./random-model.ts";
import { createWllama, type WllamaEngine } from "./wllama.ts";

/** Bytes. */
export interface ModelMemory {
  readonly weights: number;
  /** Keys and values of the whole context. */
  readonly history: number;
  /** WebAssembly's memory, and what the decoder keeps beside it. */
  readonly decoder: number;
}

/** What must not be collected. */
const held: (Decoder | WllamaEngine)[] = [];

function matrixBytes({ values, multipliers, scales }: Matrix): number {
  return values.byteLength + multipliers.byteLength + scales.byteLength;
}

function weightBytes({ embeddings, layers, head }: LlamaModel): number {
  const matrices = layers.flatMap(({ query, key, value, output, gate, up, down }) => [
    query,
    key,
    value,
    output,
    gate,
    up,
    down,
  ]);
  const bytes = [...matrices, head].map(matrixBytes).reduce((sum, size) => sum + size, 0);
  return bytes + embeddings.values.byteLength + embeddings.scales.byteLength;
}

/** Opens a model, fills its context, for memory counts only once it was touched, and keeps it. */
export async function holdOwn(bits: 4 | 8): Promise<ModelMemory> {
  const model = randomModel(SHAPE_135M, bits);
  const decoder = await createWasmBackend().open(model);
  held.push(decoder);
  await decoder.forward(Array.from({ length: SHAPE_135M.context }, (_, i) => i));
  const { layers, keyHeads, headSize, context } = SHAPE_135M;
  return {
    weights: weightBytes(model),
    history: 2 * layers * keyHeads * context * (2 * headSize + 4),
    decoder: decoder.memoryBytes,
  };
}

/** The same of wllama; it answers with the bytes of the file. */
export async function holdWllama(): Promise<number> {
  const gguf = randomGguf(SHAPE_135M);
  const wllama = await createWllama();
  await wllama.loadModel([gguf], { n_threads: 1, n_gpu_layers: 0, n_ctx: SHAPE_135M.context });
  held.push(wllama);
  return gguf.size;
}
