/** The page in which engines are measured, one thread each. */
import * as ort from "onnxruntime-web/wasm";
import { readLlama, writeModel } from "../../src/inference/model/model-file.ts";
import type { Decoder } from "../../src/inference/backend.ts";
import type { KernelBuild } from "../../src/inference/wasm/kernels.ts";
import { createWasmBackend } from "../../src/inference/wasm/wasm-backend.ts";
import { matmulOnnx } from "./matmul-onnx.ts";
import { randomGguf } from "./random-gguf.ts";
import { randomModel, SHAPE_135M } from "./random-model.ts";
import { measureVerification } from "./verification.ts";
import { holdOwn, holdWllama } from "./memory.ts";
import { createWllama } from "./wllama.ts";

const PROMPT_TOKENS = 129;
const DRAWN_TOKENS = 32;
const RUNS = 3;

/** Milliseconds: to load, and per token. */
export interface LlamaTimes {
  readonly load: number;
  readonly prefill: number;
  readonly decode: number;
}

async function timed(act: () => unknown): Promise<number> {
  const begun = performance.now();
  await act();
  return performance.now() - begun;
}

function largestAt(values: Int32Array): number {
  let best = 0;
  for (let at = 1; at < values.length; at += 1) if ((values[at] ?? 0) > (values[best] ?? 0)) best = at;
  return best;
}

async function measureOwn(build: KernelBuild, bits: 4 | 8): Promise<LlamaTimes> {
  const about = { name: "random", licence: "none", sourceSha256: new Uint8Array(32), text: "{}" };
  const file = writeModel(randomModel(SHAPE_135M, bits), about);
  const begun = performance.now();
  const decoder = await createWasmBackend({ build }).open(readLlama(file).model);
  const load = performance.now() - begun;
  const { width } = SHAPE_135M;
  const prompt = Array.from({ length: PROMPT_TOKENS }, (_, i) => i * 13);
  const drawFrom = async (hidden: Int32Array): Promise<number> =>
    largestAt(await decoder.logits(hidden.subarray(hidden.length - width)));
  let prefill = Infinity;
  let decode = Infinity;
  for (let run = 0; run < RUNS; run += 1) {
    decoder.rewind(0);
    let token = 0;
    prefill = Math.min(
      prefill,
      await timed(async () => (token = await drawFrom(await decoder.forward(prompt)))),
    );
    const drawing = await timed(async () => {
      for (let i = 0; i < DRAWN_TOKENS; i += 1) token = await drawFrom(await decoder.forward([token]));
    });
    decode = Math.min(decode, drawing);
  }
  decoder.close();
  return { load, prefill: prefill / PROMPT_TOKENS, decode: decode / DRAWN_TOKENS };
}

async function measureWllama(): Promise<LlamaTimes> {
  const gguf = randomGguf(SHAPE_135M);
  const wllama = await createWllama();
  const load = await timed(() => wllama.loadModel([gguf], { n_threads: 1, n_gpu_layers: 0, n_ctx: 512 }));
  let prefill = Infinity;
  let decode = Infinity;
  for (let run = 0; run < RUNS; run += 1) {
    // Byte tokens, of which no run's are the last run's: nothing is kept between runs.
    const prompt = String.fromCharCode(97 + run).repeat(PROMPT_TOKENS - 2);
    const { timings } = await wllama.createCompletion({
      prompt,
      max_tokens: DRAWN_TOKENS,
      temperature: 0,
    });
    if (timings === undefined) throw new Error("no timings");
    if (timings.prompt_n < PROMPT_TOKENS - 4) throw new Error(`${timings.prompt_n} tokens of the prompt`);
    prefill = Math.min(prefill, timings.prompt_ms / timings.prompt_n);
    decode = Math.min(decode, timings.predicted_ms / timings.predicted_n);
  }
  await wllama.exit();
  return { load, prefill, decode };
}

/** A page's clock has steps of 0.1 ms: calls are timed in bundles of so many milliseconds. */
const BUNDLE_MS = 20;

const BUNDLES = 25;

async function bundle(act: () => Promise<unknown>, calls: number): Promise<number> {
  return timed(async () => {
    for (let call = 0; call < calls; call += 1) await act();
  });
}

/** Milliseconds of a call of each, in the fastest of some bundles. They take turns: what else the machine does meets all. */
async function shortest(acts: readonly (() => Promise<unknown>)[]): Promise<number[]> {
  const calls: number[] = [];
  for (const act of acts) {
    let count = 1;
    while ((await bundle(act, count)) < BUNDLE_MS) count *= 2;
    calls.push(count);
  }
  const best = acts.map(() => Infinity);
  for (let run = 0; run < BUNDLES; run += 1)
    for (const [i, act] of acts.entries()) {
      const count = calls[i] ?? 1;
      best[i] = Math.min(best[i] ?? Infinity, (await bundle(act, count)) / count);
    }
  return best;
}

async function openProduct(build: KernelBuild, columns: number, outputs: number): Promise<Decoder> {
  const shape = { ...SHAPE_135M, width: columns, layers: 0, vocabulary: outputs, context: 8 };
  return createWasmBackend({ build }).open(randomModel(shape));
}

/**
 * Milliseconds of onnxruntime-web's MatMulInteger, and of products of 14-bit activations (with norm, quantisation and scales) by
 * each build.
 */
async function measureProducts(
  builds: readonly KernelBuild[],
  rows: number,
  columns: number,
  outputs: number,
): Promise<number[]> {
  const hidden = Int32Array.from({ length: rows * columns }, (_, i) => (Math.imul(i, 0x9e37_79b9) >> 8) | 0);
  const decoders = await Promise.all(builds.map((build) => openProduct(build, columns, outputs)));
  ort.env.wasm.numThreads = 1;
  const session = await ort.InferenceSession.create(matmulOnnx(rows, columns, outputs), {
    executionProviders: ["wasm"],
  });
  const a = new ort.Tensor("uint8", new Uint8Array(rows * columns).fill(77), [rows, columns]);
  const times = await shortest([
    () => session.run({ a }),
    ...decoders.map((decoder) => () => decoder.logits(hidden)),
  ]);
  for (const decoder of decoders) decoder.close();
  await session.release();
  return times;
}

const inferencePage = {
  measureOwn,
  measureWllama,
  measureProducts,
  measureVerification,
  holdOwn,
  holdWllama,
};
export type InferencePage = typeof inferencePage;
Object.assign(globalThis, { inferencePage });
