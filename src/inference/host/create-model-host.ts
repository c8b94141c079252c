import { sha256 } from "@noble/hashes/sha2.js";
import { cidDigest, isCid } from "../../protocol/cid.ts";
import { FailureError } from "../../protocol/failure.ts";
import { type FailureCode, failureCode } from "../../protocol/failure-code.ts";
import { Embedder } from "../embed/embedder.ts";
import { firstLink } from "../generate/transcript.ts";
import { modelMemory } from "../model/manifest.ts";
import { readModel } from "../model/model-file.ts";
import { Probe } from "../measure/probe.ts";
import { ModelTokenizer } from "../tokenizer/model-tokenizer.ts";
import { parseModelText } from "../tokenizer/parse-model-text.ts";
import { createWasmBackend } from "../wasm/wasm-backend.ts";
import { type Chosen, chooseBackend, type Computing, GpuLine } from "./choose-backend.ts";
import { runEmbed } from "./embed-task.ts";
import { runGenerate, type Writer } from "./generate-task.ts";
import type {
  BackendChoice,
  HostPart,
  HostResult,
  HostTask,
  MeasureResult,
  MeasureTask,
  ModelHost,
  OnPart,
  OnProgress,
  OpenOptions,
  OpenOutcome,
} from "./model-host.ts";
import { encoderOpeners, llamaOpeners } from "./openers.ts";
import { readFile } from "./read-file.ts";
import { TaskFailure } from "./task-failure.ts";

type Engine =
  | { readonly entry: "generate"; readonly writer: Writer }
  | { readonly entry: "embed"; readonly embedder: Embedder };

const wasmBackend = createWasmBackend();

/** A model that is ready. */
interface Ready {
  readonly cid: string;
  readonly choice: BackendChoice;
  readonly engine: Engine;
  readonly chosen: Chosen<Computing>;
}

interface Running {
  readonly stop: AbortController;
  readonly ended: Promise<void>;
}

/** Models in this thread. */
export function createModelHost(): ModelHost {
  return new HostHere();
}

class HostHere implements ModelHost {
  readonly #gpus = new GpuLine();
  readonly #probe = new Probe();
  #ready: Ready | undefined;
  #running: Running | undefined;

  async open(cid: string, file: Blob, options: OpenOptions, onProgress: OnProgress): Promise<OpenOutcome> {
    const { backend: choice } = options;
    const ready = this.#ready;
    if (ready?.cid === cid && ready.choice === choice) return opened(ready);
    await this.#drop();
    this.#probe.close();
    try {
      this.#ready = await this.#make(cid, file, options, onProgress);
      return opened(this.#ready);
    } catch (error) {
      const { code, detail } = failureOf(error, "no-memory");
      return { kind: "failed", code, detail };
    }
  }

  async run(task: HostTask, onPart: OnPart): Promise<HostResult> {
    const ready = this.#ready;
    if (this.#running !== undefined) throw new Error("one task at a time");
    if (ready === undefined) return failed("function-unavailable", "no model is open");
    const stop = new AbortController();
    const { promise: ended, resolve: end } = Promise.withResolvers<void>();
    this.#running = { stop, ended };
    try {
      const part = await runOn(ready.engine, task, onPart, stop.signal);
      return { kind: "done", part, inputSha256: sha256(task.input) };
    } catch (error) {
      if (stop.signal.aborted) return failed("cancelled", "stopped");
      const failure = failureOf(error, "worker-lost");
      if (failure.code === GPU_LOST) this.#loseGpu();
      return failure;
    } finally {
      this.#running = undefined;
      end();
    }
  }

  async measure({ kernels, seed, passes }: MeasureTask): Promise<MeasureResult> {
    if (this.#running !== undefined) return failed("cancelled", "a task runs");
    const gpu = kernels.startsWith("webgpu-") ? this.#gpus.open : undefined;
    if (gpu === undefined && kernels.startsWith("webgpu-"))
      return { kind: "failed", code: GPU_LOST, detail: "no graphics card is open" };
    const stop = new AbortController();
    const { promise: ended, resolve: end } = Promise.withResolvers<void>();
    this.#running = { stop, ended };
    try {
      const backend = gpu?.backend ?? wasmBackend;
      const output = await this.#probe.run(backend, kernels, { seed, passes }, stop.signal);
      return { kind: "done", output, isSoftware: gpu?.about.isSoftware === true };
    } catch (error) {
      // What the card was opened for notices by itself that it is lost.
      this.#probe.close();
      return stop.signal.aborted ? failed("cancelled", "stopped") : failureOf(error, "no-memory");
    } finally {
      this.#running = undefined;
      end();
    }
  }

  async stop(): Promise<void> {
    this.#running?.stop.abort();
    await this.#running?.ended;
  }

  async close(): Promise<void> {
    await this.#drop();
    this.#probe.close();
    this.#gpus.close();
  }

  async #drop(): Promise<void> {
    await this.stop();
    this.#ready?.chosen.made.close();
    this.#ready = undefined;
  }

  #loseGpu(): void {
    this.#ready?.chosen.made.close();
    this.#ready = undefined;
    this.#gpus.lost();
  }

  async #make(cid: string, file: Blob, options: OpenOptions, onProgress: OnProgress): Promise<Ready> {
    const { backend: choice, memoryBytes = Infinity } = options;
    if (!isCid(cid)) throw new FailureError("malformed", "a model's name is the CID of its manifest");
    requireWithin(file.size, memoryBytes);
    const stored = readModel(await readFile(file, onProgress));
    requireWithin(modelMemory(stored.header, file.size), memoryBytes);
    const text = parseModelText(stored.about.text, stored.header.shape.vocabulary);
    const tokenizer = new ModelTokenizer(text);
    const digest = cidDigest(cid);
    if (stored.kind === "llama") {
      const chosen = await chooseBackend(llamaOpeners(stored.model), choice, this.#gpus);
      const writer = { decoder: chosen.made, tokenizer, text, link: firstLink(digest) };
      return { cid, choice, chosen, engine: { entry: "generate", writer } };
    }
    const chosen = await chooseBackend(encoderOpeners(stored.model), choice, this.#gpus);
    const embedder = new Embedder(chosen.made, tokenizer, digest);
    return { cid, choice, chosen, engine: { entry: "embed", embedder } };
  }
}

/** The provider has agreed to what the manifest says. */
function requireWithin(bytes: number, memoryBytes: number): void {
  if (bytes > memoryBytes)
    throw new FailureError(
      "out-of-memory",
      `the model takes ${bytes} bytes, its manifest says ${memoryBytes}`,
    );
}

const GPU_LOST: FailureCode = failureCode("gpu-lost");

function runOn(engine: Engine, task: HostTask, onPart: OnPart, signal: AbortSignal): Promise<HostPart> {
  if (task.entry !== engine.entry)
    throw new FailureError("export-missing", `the model has the entry ${engine.entry}, not ${task.entry}`);
  if (engine.entry === "embed") return runEmbed(engine.embedder, task, signal);
  return runGenerate(engine.writer, task, (part) => unlessStopped(onPart(part), signal), signal);
}

/** Nobody waits for an answer that may never come. @throws the signal's reason */
async function unlessStopped(waiting: Promise<void>, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  signal.addEventListener("abort", () => resolve(), { once: true });
  // It may have come while the part was told.
  if (signal.aborted) resolve();
  await Promise.race([waiting, promise]);
  signal.throwIfAborted();
}

function opened({ chosen: { backend, made, reason } }: Ready): OpenOutcome {
  const { memoryBytes } = made;
  return { kind: "open", backend, memoryBytes, ...(reason === undefined ? {} : { reason }) };
}

type Failed = Extract<HostResult, { kind: "failed" }>;

function failed(name: "cancelled" | "function-unavailable", detail: string): Failed {
  return { kind: "failed", code: failureCode(name), detail, fuel: 0n };
}

/** @param unexpected what an error means that nobody has named: engines tell of memory that is not there in many ways */
function failureOf(error: unknown, unexpected: "no-memory" | "worker-lost"): Failed {
  if (error instanceof FailureError) {
    const fuel = error instanceof TaskFailure ? error.fuel : 0n;
    return { kind: "failed", code: error.code, detail: error.detail, fuel };
  }
  const name = error instanceof RangeError ? unexpected : "worker-lost";
  const detail = error instanceof Error ? error.message : String(error);
  return { kind: "failed", code: failureCode(name), detail, fuel: 0n };
}
