/** The page in which models on WebGPU are measured. */
import * as ort from "onnxruntime-web/webgpu";
import { type Gpu, openGpu } from "../../src/inference/webgpu/open-gpu.ts";
import { randomModel, SHAPE_135M } from "../inference-pages/random-model.ts";
import { matmulNbitsOnnx } from "./matmul-nbits-onnx.ts";

const RUNS = 4;

/** Milliseconds from nothing to a GPU that has answered rightly. */
export interface ColdStart {
  readonly all: number;
  readonly compile: number;
  readonly choose: number;
  readonly prove: number;
  readonly adapter: string;
  readonly rows: string;
  readonly slices: number;
}

let ready: Gpu | undefined;

async function openedGpu(): Promise<Gpu> {
  if (ready !== undefined) return ready;
  const opened = await openGpu();
  if (opened.kind === "refused") throw new Error(`${opened.reason}: ${opened.detail}`);
  ready = opened.gpu;
  return ready;
}

async function coldStart(): Promise<ColdStart> {
  const begun = performance.now();
  const { about, times, parts } = await openedGpu();
  const { compile, choose, prove } = times;
  const adapter = `${about.vendor} ${about.architecture} ${about.description}`.trim();
  return { all: performance.now() - begun, compile, choose, prove, adapter, ...parts.choice };
}

async function shortest(act: () => Promise<unknown>): Promise<number> {
  await act();
  let best = Infinity;
  for (let run = 0; run < RUNS; run += 1) {
    const begun = performance.now();
    await act();
    best = Math.min(best, performance.now() - begun);
  }
  return best;
}

/**
 * Milliseconds of a product, rows brought to the device and results back. Ours takes in norm, quantisation to 14 bits and scales;
 * theirs has activations of 8 bits.
 */
async function measureProduct(
  engine: "own" | "ort",
  rows: number,
  columns: number,
  outputs: number,
): Promise<number> {
  if (engine === "own") {
    const { backend } = await openedGpu();
    const shape = { ...SHAPE_135M, width: columns, layers: 0, vocabulary: outputs, context: 64 };
    const decoder = await backend.open(randomModel(shape));
    const hidden = Int32Array.from(
      { length: rows * columns },
      (_, i) => (Math.imul(i, 0x9e37_79b9) >> 8) | 0,
    );
    const time = await shortest(() => decoder.logits(hidden));
    decoder.close();
    return time;
  }
  const session = await ort.InferenceSession.create(matmulNbitsOnnx(rows, columns, outputs), {
    executionProviders: ["webgpu"],
  });
  const values = Float32Array.from({ length: rows * columns }, (_, i) => ((i * 37) % 201) / 100 - 1);
  const a = new ort.Tensor("float32", values, [rows, columns]);
  const time = await shortest(() => session.run({ a }));
  await session.release();
  return time;
}

/** What happens in a long prefill. Milliseconds. */
export interface Prefill {
  /** Before any is cut for being too long. */
  readonly dispatchesPerToken: number;
  readonly longestSubmit: number;
  /** From the signal to the end of the call. */
  readonly stop: number;
}

/** Layers of the 135M shape, in a prompt of all its positions, stopped after a while. */
async function measurePrefill(layers: number, afterMs: number): Promise<Prefill> {
  const { backend, parts } = await openedGpu();
  const decoder = await backend.open(randomModel({ ...SHAPE_135M, layers, vocabulary: 1_024 }));
  await decoder.logits(await decoder.forward([1]));
  const before = decoder.counts.steps;
  await decoder.logits(await decoder.forward([2]));
  const dispatchesPerToken = decoder.counts.steps - before;
  // The measurements before had other work.
  parts.pace.forgetLongest();
  const controller = new AbortController();
  let told = 0;
  setTimeout(() => {
    told = performance.now();
    controller.abort();
  }, afterMs);
  const prompt = Array.from({ length: 500 }, (_, i) => (i * 13) % 1_024);
  try {
    await decoder.forward(prompt, controller.signal);
  } catch (error) {
    if (!controller.signal.aborted) throw error;
  }
  if (told === 0) throw new Error("the prompt was over before the signal");
  const stop = performance.now() - told;
  decoder.close();
  return { dispatchesPerToken, longestSubmit: parts.pace.longestMs, stop };
}

const gpuPage = { coldStart, measureProduct, measurePrefill };
export type GpuPage = typeof gpuPage;
Object.assign(globalThis, { gpuPage });
