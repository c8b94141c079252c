import { failureCode } from "../../protocol/failure-code.ts";
import { FailureError } from "../../protocol/failure.ts";
import type { EncoderModel } from "../model/encoder-model.ts";
import type { LlamaModel } from "../model/llama-model.ts";
import type { MemoryBudget } from "./buffer-maker.ts";
import { type Choice, CHOICES } from "./choice.ts";
import { chooseVariants } from "./choose.ts";
import { DeviceLife } from "./device-life.ts";
import { KernelCache, type Programs } from "./kernels.ts";
import { deviceAnswer, KNOWN_ANSWERS, type Question, questionsFor } from "./known-answer.ts";
import { SUBMIT_MS } from "./limits.ts";
import { Pace } from "./pace.ts";
import { compileFirst } from "./plan.ts";
import { type DeviceParts, WebGpuBackend } from "./webgpu-backend.ts";

/** Why a machine computes nothing on its GPU. */
export type GpuRefusal =
  /** The browser has no WebGPU here. */
  | "no-webgpu"
  /** It has no adapter, or none that it gives away. */
  | "no-adapter"
  /** The adapter gives no device. */
  | "no-device"
  /** The device's compiler refuses a kernel. */
  | "not-compiled"
  /** A kernel has a wrong answer. */
  | "wrong-answer"
  /** There is no room even for the questions. */
  | "no-memory"
  /** The device was lost meanwhile. */
  | "lost";

export type OpenedGpu =
  | { readonly kind: "ready"; readonly gpu: Gpu }
  | { readonly kind: "refused"; readonly reason: GpuRefusal; readonly detail: string };

/** What an adapter says of itself; browsers leave much of it empty. */
export interface GpuAbout {
  readonly vendor: string;
  readonly architecture: string;
  readonly device: string;
  readonly description: string;
  /** Whether the processor does the work of a graphics card. */
  readonly isSoftware: boolean;
}

export interface OpenGpuOptions {
  /** Variants of kernels; measured if not given. */
  readonly choice?: Choice;
  /** Kernels in the place of the real ones, to show that wrong ones are noticed. */
  readonly programs?: Programs;
}

/** Milliseconds of what happens at the start. */
export interface StartTimes {
  readonly device: number;
  readonly compile: number;
  readonly choose: number;
  readonly prove: number;
}

/** A GPU that has answered rightly. */
export interface Gpu {
  readonly about: GpuAbout;
  readonly times: StartTimes;
  readonly parts: DeviceParts;
  readonly backend: WebGpuBackend;
  readonly isLost: boolean;
  /** Gives the device back; everything that was opened on it is lost. */
  close(): void;
}

/** Variants that were found fastest in this session, by what adapters say of themselves. */
const chosen = new Map<string, Choice>();

/**
 * Opens a GPU with default limits and no optional feature, and asks it questions whose answers are known. Whoever is refused
 * computes on WebAssembly. A lost device is replaced by opening again.
 */
export async function openGpu(options: OpenGpuOptions = {}): Promise<OpenedGpu> {
  const begun = performance.now();
  // Not in every browser, and not in every kind of page.
  const api: GPU | undefined = navigator.gpu;
  if (api === undefined) return refused("no-webgpu", "navigator.gpu is not there");
  const adapter = await api.requestAdapter({ powerPreference: "high-performance" });
  if (adapter === null) return refused("no-adapter", "the browser has no adapter");
  let device: GPUDevice;
  try {
    device = await adapter.requestDevice();
  } catch (error) {
    return refused("no-device", messageOf(error));
  }
  const deviceMs = performance.now() - begun;
  try {
    return await prepare(adapter, device, deviceMs, options);
  } catch (error) {
    device.destroy();
    const reason = reasonOf(error);
    if (reason === undefined) throw error;
    return refused(reason, messageOf(error));
  }
}

async function prepare(
  adapter: GPUAdapter,
  device: GPUDevice,
  deviceMs: number,
  options: OpenGpuOptions,
): Promise<OpenedGpu> {
  const { vendor, architecture, device: name, description, isFallbackAdapter: isSoftware } = adapter.info;
  const about: GpuAbout = { vendor, architecture, device: name, description, isSoftware };
  const life = new DeviceLife(device);
  const shared = {
    device,
    life,
    kernels: new KernelCache(device, options.programs),
    pace: new Pace(),
    budget: budgetOf(adapter, device),
  };
  const begun = performance.now();
  const key = JSON.stringify(about);
  let choice = options.choice ?? chosen.get(key);
  await compileFirst(shared.kernels, choice === undefined ? CHOICES : [choice]);
  const compileMs = performance.now() - begun;
  if (choice === undefined) {
    const measured = await chooseVariants(shared);
    ({ choice } = measured);
    shared.pace.begin(measured.workPerMs * SUBMIT_MS);
    chosen.set(key, choice);
  }
  const parts: DeviceParts = { ...shared, choice };
  const chooseMs = performance.now() - begun - compileMs;
  const prover = new Prover(parts);
  await prover.prove(["sweep", "llama 8", "long"]);
  const backend = new WebGpuBackend(parts, (model) => prover.proveFor(model));
  const proveMs = performance.now() - begun - compileMs - chooseMs;
  const times = { device: deviceMs, compile: compileMs, choose: chooseMs, prove: proveMs };
  const gpu: Gpu = {
    about,
    times,
    backend,
    parts,
    get isLost() {
      return life.isLost;
    },
    close: () => device.destroy(),
  };
  return { kind: "ready", gpu };
}

/**
 * A buffer is what the device may bind. All together are what the adapter would give a single one: the only number that
 * it tells of its memory.
 */
function budgetOf({ limits }: GPUAdapter, device: GPUDevice): MemoryBudget {
  const { maxBufferSize, maxStorageBufferBindingSize } = device.limits;
  return {
    buffer: Math.min(maxBufferSize, maxStorageBufferBindingSize),
    total: limits.maxBufferSize,
  };
}

/** An answer that is not the known one. */
class WrongAnswerError extends Error {
  static override readonly name = "WrongAnswerError";
  override readonly name = "WrongAnswerError";
}

/** Asks each question once. */
class Prover {
  readonly #parts: DeviceParts;
  readonly #backend: WebGpuBackend;
  readonly #asked = new Map<Question, Promise<void>>();

  constructor(parts: DeviceParts) {
    this.#parts = parts;
    // Of the models of the questions nothing needs proof.
    this.#backend = new WebGpuBackend(parts);
  }

  /** @throws WrongAnswerError */
  async prove(questions: readonly Question[]): Promise<void> {
    await Promise.all(questions.map((question) => this.#asked.get(question) ?? this.#ask(question)));
  }

  /** @throws FailureError `gpu-lost` for a device that gives wrong answers: it is as good as gone */
  async proveFor(model: LlamaModel | EncoderModel): Promise<void> {
    try {
      await this.prove(questionsFor(model));
    } catch (cause) {
      if (cause instanceof FailureError) throw cause;
      throw new FailureError("gpu-lost", `it is not fit for models: ${messageOf(cause)}`, { cause });
    }
  }

  #ask(question: Question): Promise<void> {
    const asked = this.#check(question);
    this.#asked.set(question, asked);
    return asked;
  }

  async #check(question: Question): Promise<void> {
    const answer = await deviceAnswer(this.#parts, this.#backend, question);
    const known = KNOWN_ANSWERS[question];
    if (answer !== known) throw new WrongAnswerError(`${question}: ${answer}, not ${known}`);
  }
}

/** Undefined for what is no refusal but a mistake. */
function reasonOf(error: unknown): GpuRefusal | undefined {
  if (error instanceof WrongAnswerError) return "wrong-answer";
  if (error instanceof FailureError) return error.code === failureCode("gpu-lost") ? "lost" : "no-memory";
  return error instanceof GPUPipelineError ? "not-compiled" : undefined;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function refused(reason: GpuRefusal, detail: string): OpenedGpu {
  return { kind: "refused", reason, detail };
}
