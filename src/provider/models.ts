// oxlint-disable-next-line no-restricted-imports -- what crosses the line to the thread, types only
import type {
  BackendChoice,
  HostPart,
  HostResult,
  MeasureResult,
  MeasureTask,
} from "../inference/host/model-host.ts";
import type { Cid } from "../protocol/cid.ts";
import { failureCode, type FailureName } from "../protocol/failure-code.ts";
import type { ModelManifest } from "../protocol/model-manifest.ts";
import { MODEL_OPEN_MS, MODEL_STOP_MS, RATE_WINDOW_MS } from "./limits.ts";
import { ModelDuty } from "./model-duty.ts";
import { type ModelTurn, nextTask, type QueuedTask } from "./model-queue.ts";
import type { ModelThread } from "./model-thread.ts";
import { RecentRate } from "./recent-rate.ts";
import type { LoadedModel, ModelPart, ModelResult, ModelTask } from "./session-ports.ts";
import { StretchedDeadline } from "./stretched-deadline.ts";

export interface ModelsOptions {
  startThread(): ModelThread;
  /** Whether models may compute on the graphics card. */
  readonly gpu: boolean;
  /** Milliseconds, of any clock that only goes forward. */
  readonly now: () => number;
  /** What `view` tells has changed. */
  readonly onChange: () => void;
}

/** What a page shows of the models. */
export interface ModelsView {
  /** Whether the person lets them compute on the graphics card. */
  readonly gpu: boolean;
  /** The model that is ready. */
  readonly open?: {
    readonly cid: Cid;
    readonly name: string;
    readonly backend: "reference" | "wasm" | "webgpu";
    readonly memoryBytes: number;
    /** Why it is not the graphics card that computes, for a person. */
    readonly whyNotGpu?: string;
  };
  /** The model that is being made ready, bytes read of how many. */
  readonly opening?: {
    readonly cid: Cid;
    readonly name: string;
    readonly done: number;
    readonly total: number;
  };
  /** Over the last ten seconds. */
  readonly tokensPerSecond: number;
}

/** A model's file on this machine. */
interface Model {
  readonly cid: Cid;
  readonly manifest: ModelManifest;
  readonly file: Blob;
}

interface OpenModel extends ModelTurn {
  /** What it was opened as. */
  readonly choice: BackendChoice;
  readonly shown: NonNullable<ModelsView["open"]>;
}

type Failed = Extract<ModelResult, { kind: "failed" }>;

interface Entry extends QueuedTask {
  readonly model: Model;
  readonly task: ModelTask;
  readonly settle: (result: ModelResult) => void;
  settled: boolean;
}

const NOT_STARTED = failed("not-started", "cancelled before it started");
const CANCELLED = failed("cancelled", "cancelled by the requester");
const CLOSED = failed("draining", "the provider gives its tasks back");
const GPU_LOST = failureCode("gpu-lost");
const WORKER_LOST = failureCode("worker-lost");

/**
 * Runs tasks of models in one thread: one model is open, one task runs. Tasks of the open model come first, as opening another
 * takes long, until a task of another one has waited too long.
 */
export class Models {
  readonly #options: ModelsOptions;
  /** Of tokens. */
  readonly #rate: RecentRate;
  readonly #duty = new ModelDuty();
  #waiting: Entry[] = [];
  #running: Entry | undefined;
  #thread: ModelThread | undefined;
  #open: OpenModel | undefined;
  #opening: ModelsView["opening"];
  /** A challenge under way. */
  #measuring: Promise<MeasureResult> | undefined;
  #gpu: boolean;
  #closed = false;
  /** The queue is being worked through. */
  #atWork = false;

  constructor(options: ModelsOptions) {
    this.#options = options;
    this.#gpu = options.gpu;
    this.#rate = new RecentRate(RATE_WINDOW_MS, options.now);
  }

  /** Tasks that run or wait. */
  get busy(): number {
    return this.#waiting.length + (this.#running === undefined ? 0 : 1);
  }

  /** Milliseconds that the thread computed in the last DUTY_WINDOW_MS. */
  get busyMs(): number {
    return this.#duty.busyMs;
  }

  /** Share of the time that the thread works, 1 to 100. */
  setDuty(cpuPercent: number): void {
    this.#duty.setShare(cpuPercent);
  }

  view(): ModelsView {
    return {
      gpu: this.#gpu,
      ...(this.#open === undefined ? {} : { open: this.#open.shown }),
      ...(this.#opening === undefined ? {} : { opening: this.#opening }),
      tokensPerSecond: this.#rate.perSecond,
    };
  }

  /** A model of a job. It is opened with its first task. @param file is read whenever it is opened */
  load(manifest: ModelManifest, cid: Cid, file: Blob): LoadedModel {
    const model = { manifest, cid, file };
    return { kind: "model", run: (task) => this.#run(model, task) };
  }

  /** Computes a challenge, where nothing else is to do. Ended by the next task. */
  async measure(task: MeasureTask): Promise<MeasureResult> {
    if (this.#closed || this.busy > 0 || this.#measuring !== undefined)
      return { kind: "failed", code: failureCode("cancelled"), detail: "there is work" };
    const measuring = this.#ensureThread().measure(task);
    this.#measuring = measuring;
    try {
      return await measuring;
    } finally {
      this.#measuring = undefined;
    }
  }

  stopMeasuring(): void {
    if (this.#measuring !== undefined) void this.#stopSoon(this.#thread);
  }

  /** The next task is computed as the person wants it now. */
  setGpu(gpu: boolean): void {
    this.#gpu = gpu;
    this.#options.onChange();
  }

  /** Gives everything back and ends the thread. Idempotent. */
  close(): void {
    this.#closed = true;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const entry of waiting) this.#settle(entry, CLOSED);
    if (this.#running !== undefined) this.#settle(this.#running, CLOSED);
    this.#dropThread();
  }

  #run(model: Model, task: ModelTask): Promise<ModelResult> {
    if (this.#closed) return Promise.resolve(CLOSED);
    if (task.signal.aborted) return Promise.resolve(NOT_STARTED);
    const { promise, resolve } = Promise.withResolvers<ModelResult>();
    const entry: Entry = { model, cid: model.cid, task, settle: resolve, settled: false };
    task.signal.addEventListener("abort", () => this.#cancel(entry), { once: true });
    this.#waiting.push(entry);
    this.#options.onChange();
    void this.#work();
    return promise;
  }

  #cancel(entry: Entry): void {
    if (entry === this.#running) this.#interrupt(entry, CANCELLED);
    else {
      this.#waiting = this.#waiting.filter((each) => each !== entry);
      this.#settle(entry, NOT_STARTED);
    }
  }

  /** The task is over for whoever asked for it; the thread is ended unless it stops in time. */
  #interrupt(entry: Entry, result: ModelResult): void {
    if (entry.settled) return;
    this.#settle(entry, result);
    void this.#stopSoon(this.#thread);
  }

  async #stopSoon(thread: ModelThread | undefined): Promise<void> {
    if (thread === undefined) return;
    const timer = setTimeout(() => this.#dropThread(thread), MODEL_STOP_MS);
    await thread.stop();
    clearTimeout(timer);
  }

  #settle(entry: Entry, result: ModelResult): void {
    if (entry.settled) return;
    entry.settled = true;
    entry.settle(result);
    // A rest in its middle is for nobody now; the next task rests before it begins.
    if (entry === this.#running) this.#duty.wake();
    this.#options.onChange();
  }

  #dropThread(which: ModelThread | undefined = this.#thread): void {
    which?.terminate();
    if (which !== this.#thread) return;
    this.#thread = undefined;
    this.#forgetOpen();
  }

  async #work(): Promise<void> {
    if (this.#atWork) return;
    this.#atWork = true;
    for (;;) {
      const entry = nextTask(this.#waiting, this.#open, this.#options.now());
      if (entry === undefined) break;
      try {
        // oxlint-disable-next-line no-await-in-loop -- one task after the other
        await this.#serve(entry);
      } catch (error) {
        // No thread can be started, or a session around it has thrown: the next task is not to suffer from it.
        this.#waiting = this.#waiting.filter((each) => each !== entry);
        this.#running = undefined;
        this.#settle(
          entry,
          failed("worker-lost", error instanceof Error ? error.message : "the thread failed"),
        );
      }
    }
    this.#atWork = false;
  }

  /** Opens what the task needs, and runs it unless it was given back meanwhile. */
  async #serve(entry: Entry): Promise<void> {
    if (this.#measuring !== undefined) await this.#stopSoon(this.#thread);
    await this.#duty.rest();
    if (entry.settled) return;
    const thread = this.#ensureThread();
    const refused = await this.#duty.during(this.#openFor(thread, entry.model));
    if (entry.settled) return;
    this.#waiting = this.#waiting.filter((each) => each !== entry);
    this.#running = entry;
    const result = refused ?? (await this.#runIn(thread, entry));
    this.#running = undefined;
    if (result.kind === "failed" && result.code === GPU_LOST) this.#forgetOpen();
    if (result.kind === "failed" && result.code === WORKER_LOST) this.#dropThread(thread);
    this.#settle(entry, result);
  }

  #ensureThread(): ModelThread {
    if (this.#thread !== undefined) return this.#thread;
    const thread = this.#options.startThread();
    this.#thread = thread;
    void thread.ended.then(() => this.#dropThread(thread));
    return thread;
  }

  /** @returns how it failed, if it did */
  async #openFor(thread: ModelThread, model: Model): Promise<Failed | undefined> {
    const choice: BackendChoice = this.#gpu ? "auto" : "wasm";
    if (this.#open?.cid === model.cid && this.#open.choice === choice) return undefined;
    const { cid, file } = model;
    const { name, memory: memoryBytes } = model.manifest;
    this.#forgetOpen();
    this.#opening = { cid, name, done: 0, total: file.size };
    const tell = (done: number, total: number): void => {
      // It comes by another line than the answer, perhaps behind it.
      if (this.#opening?.cid !== cid) return;
      this.#opening = { cid, name, done, total };
      this.#options.onChange();
    };
    this.#options.onChange();
    const timer = setTimeout(() => this.#dropThread(thread), MODEL_OPEN_MS);
    const outcome = await thread.open(cid, file, { backend: choice, memoryBytes }, tell);
    clearTimeout(timer);
    this.#opening = undefined;
    this.#options.onChange();
    if (outcome.kind === "failed") return { ...outcome, fuel: 0n };
    // The thread may have ended behind its answer; then there is another one for the next task.
    if (thread !== this.#thread) return undefined;
    const { backend, reason } = outcome;
    const shown = {
      cid,
      name,
      backend,
      memoryBytes: outcome.memoryBytes,
      ...(reason === undefined ? {} : { whyNotGpu: reason }),
    };
    this.#open = { cid, since: this.#options.now(), choice, shown };
    return undefined;
  }

  #forgetOpen(): void {
    this.#open = undefined;
    this.#options.onChange();
  }

  async #runIn(thread: ModelThread, entry: Entry): Promise<ModelResult> {
    const { input, fuelLimit, outputBytes, deadlineMs, onStart, onPart } = entry.task;
    onStart();
    // Who is told may cancel at once, and then the thread would run it for nobody.
    if (entry.settled) return CANCELLED;
    const deadline = new StretchedDeadline(deadlineMs, () =>
      this.#interrupt(entry, failed("deadline", `longer than ${deadlineMs} ms`)),
    );
    this.#duty.begin();
    const result = await thread.run(
      { entry: entry.model.manifest.entry, input, fuelLimit, outputBytes },
      async (part) => {
        // What was given back tells nothing more.
        if (entry.settled) return;
        this.#duty.end();
        this.#count(part);
        await onPart(modelPart(part));
        if (!entry.settled) await deadline.during(this.#duty.rest());
        this.#duty.begin();
      },
    );
    this.#duty.end();
    deadline.end();
    return this.#modelResult(result);
  }

  #modelResult(result: HostResult): ModelResult {
    if (result.kind === "failed") return result;
    this.#count(result.part);
    return { kind: "done", part: modelPart(result.part), inputSha256: result.inputSha256 };
  }

  #count({ tokens }: HostPart): void {
    this.#rate.add(tokens);
    this.#options.onChange();
  }
}

function modelPart({ output, outputSha256, fuel, to, stateHash }: HostPart): ModelPart {
  return { output, outputSha256, fuel, to, stateHash };
}

function failed(name: FailureName, detail: string): Failed {
  return { kind: "failed", code: failureCode(name), detail, fuel: 0n };
}
