import { readFile } from "node:fs/promises";
import type { Backend, EncoderBackend } from "../../inference/backend.ts";
import { type LocalModel, localModel } from "../../inference/local/local-model.ts";
import { type OpenModel, openModelFile } from "../../inference/local/open-model.ts";
import { referenceBackend } from "../../inference/reference/reference-backend.ts";
import { referenceEncoderBackend } from "../../inference/reference/reference-encoder.ts";
import { createWasmBackend } from "../../inference/wasm/wasm-backend.ts";
import { createWasmEncoderBackend } from "../../inference/wasm/wasm-encoder.ts";
import { sha256 } from "../books/native-hash.ts";

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

const BACKENDS: Readonly<Record<ProcessBackend, () => Backend & EncoderBackend>> = {
  wasm: () => ({ ...createWasmBackend(), ...createWasmEncoderBackend() }),
  reference: () => ({ ...referenceBackend, ...referenceEncoderBackend }),
};

/** @throws FailureError `malformed` for what is no model file */
export async function openModel(path: string, backend: ProcessBackend): Promise<OpenModel> {
  return openModelFile(await readFile(path), BACKENDS[backend](), sha256);
}

/** The same for the command line. @throws FailureError `malformed` for what is no model file */
export async function openLocally(path: string, backend: ProcessBackend): Promise<LocalModel> {
  const model = await openModel(path, backend);
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

export type {
  PageAdapter,
  PageAnswer,
  PageCall,
  PageModel,
  PageState,
} from "../../inference/local/page-calls.ts";
