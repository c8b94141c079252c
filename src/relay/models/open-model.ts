import { readFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import type { Backend, EncoderBackend } from "../../inference/backend.ts";
import { type LocalModel, localModel } from "../../inference/local/local-model.ts";
import { type OpenModel, openModelFile } from "../../inference/local/open-model.ts";
import { referenceBackend } from "../../inference/reference/reference-backend.ts";
import { referenceEncoderBackend } from "../../inference/reference/reference-encoder.ts";
import type { LlamaShape } from "../../inference/model/llama-model.ts";
import { layerWork } from "../../inference/model/llama-part.ts";
import { createStagedBackend } from "../../inference/stages/staged-backend.ts";
import { createWasmBackend } from "../../inference/wasm/wasm-backend.ts";
import { createWasmEncoderBackend } from "../../inference/wasm/wasm-encoder.ts";
import { sha256 } from "../books/native-hash.ts";
import { startStageThread } from "./stage-thread.ts";

export type {
  LocalMemory,
  LocalModel,
  LocalText,
  LocalVector,
  LocalVerdict,
  TextJob,
} from "../../inference/local/local-model.ts";

/** Backends that a Node process has. */
export type ProcessBackend = "wasm" | "reference";

const BACKENDS: Readonly<Record<ProcessBackend, (workers: Workers) => Backend & EncoderBackend>> = {
  wasm: (workers) => ({ ...wasmBackend(workers), ...createWasmEncoderBackend() }),
  reference: () => ({ ...referenceBackend, ...referenceEncoderBackend }),
};

/** Threads of the `wasm` backend for a text model, each with some of its layers; `auto` for as many as a check gains by. */
export type Workers = number | "auto";

/** More help only with texts that have many more batches than the 8 of 256 positions: filling all stages takes a batch each. */
const MOST_WORKERS = 4;

/** Multiply-adds of a position below which hundreds of positions take no longer than a thread's start, some 50 ms. */
const LEAST_WORK: number = 2 ** 24;

function workersFor(shape: LlamaShape): number {
  const work = shape.layers * layerWork(shape) + shape.width * shape.vocabulary;
  return work < LEAST_WORK ? 1 : Math.min(MOST_WORKERS, availableParallelism());
}

function wasmBackend(workers: Workers): Backend {
  return {
    name: "wasm",
    open(model) {
      const stages = workers === "auto" ? workersFor(model.shape) : workers;
      const backend =
        stages > 1 ? createStagedBackend({ stages, start: startStageThread }) : createWasmBackend();
      return backend.open(model);
    },
  };
}

/** @throws FailureError `malformed` for what is no model file */
export async function openModel(
  path: string,
  backend: ProcessBackend,
  workers: Workers = 1,
): Promise<OpenModel> {
  return openModelFile(await readFile(path), BACKENDS[backend](workers), sha256);
}

/** The same for the command line. @throws FailureError `malformed` for what is no model file */
export async function openLocally(
  path: string,
  backend: ProcessBackend,
  workers: Workers,
): Promise<LocalModel> {
  const model = await openModel(path, backend, workers);
  const held = model.kind === "llama" ? model.decoder : model.embedder.encoder;
  return localModel(model, () => {
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    // The memory of WebAssembly never shrinks, and is none of the two others.
    return {
      wasmBytes: backend === "wasm" ? held.memoryBytes : 0,
      gpuBytes: 0,
      heapBytes: heapUsed + arrayBuffers,
    };
  });
}

export type { GpuAbout } from "../../inference/webgpu/open-gpu.ts";
export type { PageAnswer, PageCall, PageModel, PageState } from "../../inference/local/page-calls.ts";
