/** The page, and the thread, in which models run in the tests with two browsers. */
import type { Backend, EncoderBackend } from "../../src/inference/backend.ts";
import { createWasmBackend } from "../../src/inference/wasm/wasm-backend.ts";
import { createWasmEncoderBackend } from "../../src/inference/wasm/wasm-encoder.ts";
import { type Gpu, openGpu } from "../../src/inference/webgpu/open-gpu.ts";
import { FailureError } from "../../src/protocol/failure.ts";
import { type InferenceJob, runInference } from "./inference-job.ts";

export type BackendName = "wasm" | "webgpu";

/** What a realm says of its GPU. */
export interface GpuReport {
  readonly kind: "ready" | "refused";
  /** The adapter, or why there is none. */
  readonly detail: string;
}

let gpu: Gpu | undefined;

async function openedGpu(): Promise<Gpu> {
  if (gpu === undefined || gpu.isLost) {
    const opened = await openGpu();
    if (opened.kind === "refused") throw new Error(`${opened.reason}: ${opened.detail}`);
    ({ gpu } = opened);
  }
  return gpu;
}

async function reportGpu(): Promise<GpuReport> {
  const opened = await openGpu();
  if (opened.kind === "refused") return { kind: "refused", detail: `${opened.reason}: ${opened.detail}` };
  const { about, times, parts } = opened.gpu;
  opened.gpu.close();
  return { kind: "ready", detail: JSON.stringify({ about, times, choice: parts.choice }) };
}

async function backendOf(name: BackendName): Promise<Backend & EncoderBackend> {
  if (name === "webgpu") return (await openedGpu()).backend;
  return { ...createWasmBackend(), ...createWasmEncoderBackend() };
}

async function run(backend: BackendName, url: string, job: InferenceJob): Promise<string> {
  const file = new Uint8Array(await (await fetch(url)).arrayBuffer());
  return runInference(await backendOf(backend), file, job);
}

/** Resolves once the GPU is lost, with the code of what a call says then. */
async function codeOfLoss(url: string, job: InferenceJob): Promise<number> {
  const { parts } = await openedGpu();
  await parts.device.lost;
  const { backend } = await openedGpuAsItIs();
  const file = new Uint8Array(await (await fetch(url)).arrayBuffer());
  try {
    await runInference(backend, file, job);
    return 0;
  } catch (error) {
    return error instanceof FailureError ? error.code : -1;
  }
}

function openedGpuAsItIs(): Promise<Gpu> {
  return gpu === undefined ? Promise.reject(new Error("no GPU was opened")) : Promise.resolve(gpu);
}

let asked = 0;
let thread: Worker | undefined;

/** The same in a thread of the page. */
async function inThread(call: "reportGpu" | "run", ...args: readonly unknown[]): Promise<unknown> {
  thread ??= new Worker("/page.js", { type: "module" });
  const worker = thread;
  const id = (asked += 1);
  return new Promise((resolve, reject) => {
    const listen = ({ data }: MessageEvent<{ id: number; answer?: unknown; error?: string }>): void => {
      if (data.id !== id) return;
      worker.removeEventListener("message", listen);
      if (data.error === undefined) resolve(data.answer);
      else reject(new Error(data.error));
    };
    worker.addEventListener("message", listen);
    worker.addEventListener("error", ({ message }) => reject(new Error(message)));
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has none
    worker.postMessage({ id, call, args });
  });
}

const calls = { reportGpu, run } as const;

const modelPage = { ...calls, codeOfLoss, openGpu: async () => void (await openedGpu()), inThread };
export type ModelPage = typeof modelPage;

if (typeof document === "undefined")
  globalThis.addEventListener("message", ({ data }: MessageEvent) => {
    const { id, call, args } = data as { id: number; call: keyof typeof calls; args: never[] };
    const act: (...given: never[]) => Promise<unknown> = calls[call];
    void act(...args)
      .then((answer) => postMessage({ id, answer }))
      .catch((error: unknown) => postMessage({ id, error: String(error) }));
  });
else Object.assign(globalThis, { modelPage });
