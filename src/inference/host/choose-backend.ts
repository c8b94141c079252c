import { FailureError } from "../../protocol/failure.ts";
import type { Backend } from "../backend.ts";
import type { Gpu, GpuRefusal } from "../webgpu/open-gpu.ts";
import { LEAST_GPU_GAIN_MS, MOST_GPU_LOSSES } from "./limits.ts";
import type { BackendChoice } from "./model-host.ts";

/** What all decoders and encoders have in common. */
export interface Computing {
  readonly memoryBytes: number;
  close(): void;
}

/** How a model becomes ready on each backend. */
export interface Openers<T extends Computing> {
  /** @throws FailureError `no-memory` */
  reference(): Promise<T>;
  /** @throws FailureError `no-memory` */
  wasm(): Promise<T>;
  /** @throws FailureError `no-memory`, `gpu-lost` */
  webgpu(gpu: Gpu): Promise<T>;
  /** Runs a little of what the model will have to run; leaves nothing behind. @returns milliseconds of the fastest of two */
  trial(made: T): Promise<number>;
}

/** What computes, and why it is not WebGPU where that was asked for. */
export interface Chosen<T> {
  readonly made: T;
  readonly backend: Backend["name"];
  readonly reason?: string;
}

/** The GPU of a thread: opened when a model wants it, and again when it was lost. */
export class GpuLine {
  #gpu: Gpu | undefined;
  #losses = 0;

  /** @throws FailureError `gpu-lost` saying why there is none */
  async get(): Promise<Gpu> {
    if (this.#losses >= MOST_GPU_LOSSES)
      throw new FailureError("gpu-lost", `it was lost ${this.#losses} times and is not asked again`);
    if (navigator.gpu === undefined) throw new FailureError("gpu-lost", REFUSALS["no-webgpu"]);
    if (this.#gpu?.isLost === true) this.#gpu = undefined;
    if (this.#gpu !== undefined) return this.#gpu;
    // Kernels as text are nothing that Node reads; and who has no GPU needs none of it.
    const { openGpu } = await import("../webgpu/open-gpu.ts");
    const opened = await openGpu();
    if (opened.kind === "refused")
      throw new FailureError("gpu-lost", `${REFUSALS[opened.reason]}: ${opened.detail}`);
    this.#gpu = opened.gpu;
    return opened.gpu;
  }

  /** The one that is open, without asking for any. */
  get open(): Gpu | undefined {
    return this.#gpu?.isLost === false ? this.#gpu : undefined;
  }

  /** It went away while it computed. */
  lost(): void {
    this.#losses += 1;
    this.close();
  }

  close(): void {
    this.#gpu?.close();
    this.#gpu = undefined;
  }
}

const REFUSALS: Readonly<Record<GpuRefusal, string>> = {
  "no-webgpu": "this browser has no WebGPU",
  "no-adapter": "no graphics card is given away",
  "no-device": "the graphics card cannot be opened",
  "not-compiled": "the graphics card's compiler refuses a kernel",
  "wrong-answer": "the graphics card computes something else",
  "no-memory": "the graphics card has no room",
  lost: "the graphics card was lost",
};

/** @throws FailureError `no-memory`; with the choice `webgpu` also `gpu-lost` */
export function chooseBackend<T extends Computing>(
  openers: Openers<T>,
  choice: BackendChoice,
  gpus: GpuLine,
): Promise<Chosen<T>> {
  switch (choice) {
    case "reference":
      return named(choice, openers.reference());
    case "wasm":
      return named(choice, openers.wasm());
    case "webgpu":
      return onGpu(openers, gpus);
    case "auto":
      return fastest(openers, gpus);
    default:
      throw new RangeError(choice satisfies never);
  }
}

async function named<T>(backend: Backend["name"], making: Promise<T>): Promise<Chosen<T>> {
  return { backend, made: await making };
}

async function onGpu<T extends Computing>(openers: Openers<T>, gpus: GpuLine): Promise<Chosen<T>> {
  return named("webgpu", openers.webgpu(await gpus.get()));
}

/** The processor computes what it is fast at; else both try, and the faster one stays. */
async function fastest<T extends Computing>(openers: Openers<T>, gpus: GpuLine): Promise<Chosen<T>> {
  const onProcessor = await openers.wasm();
  const processorMs = await openers.trial(onProcessor);
  const stay = (reason: string): Chosen<T> => ({ made: onProcessor, backend: "wasm", reason });
  if (processorMs < LEAST_GPU_GAIN_MS)
    return stay(`the processor takes ${shown(processorMs)}, less than the way there and back`);
  let onCard: Chosen<T> | undefined;
  try {
    onCard = await onGpu(openers, gpus);
    const cardMs = await openers.trial(onCard.made);
    if (cardMs < processorMs) {
      onProcessor.close();
      return onCard;
    }
    onCard.made.close();
    return stay(`it takes ${shown(cardMs)} for what the processor does in ${shown(processorMs)}`);
  } catch (error) {
    onCard?.made.close();
    if (error instanceof FailureError) return stay(error.detail);
    onProcessor.close();
    throw error;
  }
}

function shown(milliseconds: number): string {
  return `${milliseconds.toFixed(1)} ms`;
}
