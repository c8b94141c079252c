import { proxy, wrap } from "comlink";
// oxlint-disable-next-line no-restricted-imports -- what crosses the line to the thread, types only
import type { AnswersWindow } from "../inference/host/answer-window.ts";
import type {
  HostResult,
  HostTask,
  MeasureResult,
  MeasureTask,
  OnPart,
  OnProgress,
  OpenOptions,
  OpenOutcome,
} from "../inference/host/model-host.ts";
import { failureCode } from "../protocol/failure-code.ts";

/**
 * The thread in which models compute. This file owns its life: a call under way when it ends would never settle by itself,
 * so it is settled here.
 */
export interface ModelThread {
  /** See ModelHost. Fails with `worker-lost` where the thread ends meanwhile. */
  open(cid: string, file: Blob, options: OpenOptions, onProgress: OnProgress): Promise<OpenOutcome>;
  /** See ModelHost. Fails with `worker-lost` where the thread ends meanwhile. */
  run(task: HostTask, onPart: OnPart): Promise<HostResult>;
  /** See ModelHost. Fails with `worker-lost` where the thread ends meanwhile. */
  measure(task: MeasureTask): Promise<MeasureResult>;
  /** Ends the running task. Resolves when it has ended, also by the thread's end. */
  stop(): Promise<void>;
  /** Ends the thread at once, whatever it does. */
  terminate(): void;
  /** Resolves when the thread is no more, with the reason. */
  readonly ended: Promise<string>;
}

/** @param script URL of the script of workers/inference.worker.ts, in one file */
export function startModelThread(script: string): ModelThread {
  return new WorkerThread(script);
}

class WorkerThread implements ModelThread {
  readonly ended: Promise<string>;
  readonly #worker: Worker;
  readonly #host: ReturnType<typeof wrap<AnswersWindow>>;
  readonly #end: (reason: string) => void;

  constructor(script: string) {
    const { promise, resolve } = Promise.withResolvers<string>();
    this.ended = promise;
    this.#end = resolve;
    this.#worker = new Worker(script);
    this.#worker.addEventListener("error", ({ message }) => this.#die(message));
    this.#worker.addEventListener("messageerror", () => this.#die("the thread sent what cannot be read"));
    this.#host = wrap<AnswersWindow>(this.#worker);
  }

  open(cid: string, file: Blob, options: OpenOptions, onProgress: OnProgress): Promise<OpenOutcome> {
    return this.#settled<OpenOutcome>(this.#host.open(cid, file, options, proxy(onProgress)), (detail) => ({
      kind: "failed",
      code: failureCode("worker-lost"),
      detail,
    }));
  }

  run(task: HostTask, onPart: OnPart): Promise<HostResult> {
    return this.#settled<HostResult>(this.#host.run(task, proxy(onPart)), (detail) => ({
      kind: "failed",
      code: failureCode("worker-lost"),
      detail,
      fuel: 0n,
    }));
  }

  measure(task: MeasureTask): Promise<MeasureResult> {
    return this.#settled<MeasureResult>(this.#host.measure(task), (detail) => ({
      kind: "failed",
      code: failureCode("worker-lost"),
      detail,
    }));
  }

  stop(): Promise<void> {
    return this.#settled<void>(this.#host.stop(), () => undefined);
  }

  terminate(): void {
    this.#die("the thread was ended");
  }

  #die(reason: string): void {
    this.#worker.terminate();
    this.#end(reason === "" ? "the thread could not be started" : reason);
  }

  /** What the thread answers, or what it means that it does not any more. */
  async #settled<T>(call: Promise<T>, lost: (reason: string) => T): Promise<T> {
    try {
      return await Promise.race([call, this.ended.then(lost)]);
    } catch (error) {
      // The thread's own code has thrown, which is a bug there: what it holds is not to be trusted any more.
      const reason = error instanceof Error ? error.message : String(error);
      this.#die(reason);
      return lost(reason);
    }
  }
}
