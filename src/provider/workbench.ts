import { failureCode, type FailureName } from "../protocol/failure-code.ts";
import type { Inspection } from "../sandbox/inspect/inspect-module.ts";
import type { TaskArgs, TaskRequest, TaskResult } from "../sandbox/task.ts";
import { type InspectingThread, startSandboxThread } from "./sandbox-thread.ts";
import { openThreadHost, type SandboxFiles, type ThreadHost } from "./thread-host.ts";

export type { Inspection, TaskArgs, TaskRequest, TaskResult };

/** A task to be run in this tab. */
export interface Trial {
  readonly request: TaskRequest;
  readonly module: Uint8Array;
  /** From the moment the thread turns to it, loading included, milliseconds. */
  readonly deadlineMs: number;
}

export interface TrialEnd {
  readonly result: TaskResult;
  /** Of the task alone, milliseconds by this machine's clock. */
  readonly tookMs: number;
}

/**
 * Where the owner of a function looks at it and tries it: one thread of the kind that providers run strangers' functions in,
 * for one thing at a time. No mesh, no money.
 */
export interface Workbench {
  /** Looks at a function without running it. @throws Error when there is no thread to do it. The signal's reason. */
  inspect(module: Uint8Array, entry: string, signal: AbortSignal): Promise<Inspection>;
  /** Runs one task. What goes wrong is a result. @throws the signal's reason. */
  run(trial: Trial, signal: AbortSignal): Promise<TrialEnd>;
  /** Ends the thread and its place; the next call opens them anew. */
  close(): void;
}

export function openWorkbench(files: SandboxFiles): Workbench {
  return new OneThread(files);
}

const NO_BYTES = new Uint8Array(0);

function failed(name: FailureName, detail: string): TaskResult {
  return { kind: "failed", code: failureCode(name), detail, fuel: 0n, stderr: NO_BYTES };
}

/** What stopped the thread: it does not answer any more. */
class ThreadEnd extends Error {
  static override readonly name = "ThreadEnd";
  override readonly name = "ThreadEnd";
  readonly kind: "late" | "died";

  constructor(kind: "late" | "died", message: string) {
    super(message);
    this.kind = kind;
  }
}

class OneThread implements Workbench {
  readonly #files: SandboxFiles;
  #place: Promise<ThreadHost> | undefined;
  #thread: InspectingThread | undefined;
  /** Functions the thread holds. */
  readonly #loaded = new Set<string>();
  #turn: Promise<unknown> = Promise.resolve();

  constructor(files: SandboxFiles) {
    this.#files = files;
  }

  inspect(module: Uint8Array, entry: string, signal: AbortSignal): Promise<Inspection> {
    return this.#next(() =>
      this.#within(signal, undefined, (thread) => thread.inspect(new Uint8Array(module), entry)),
    );
  }

  run(trial: Trial, signal: AbortSignal): Promise<TrialEnd> {
    return this.#next(async () => {
      try {
        return await this.#within(signal, trial.deadlineMs, (thread) => this.#try(thread, trial));
      } catch (error) {
        if (!(error instanceof ThreadEnd)) throw error;
        const name = error.kind === "late" ? "deadline" : "worker-lost";
        return { result: failed(name, error.message), tookMs: trial.deadlineMs };
      }
    });
  }

  close(): void {
    this.#end();
    const place = this.#place;
    this.#place = undefined;
    void closePlace(place);
  }

  /** One after the other, in the order of asking. */
  #next<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work, work);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  async #try(thread: InspectingThread, { request, module }: Trial): Promise<TrialEnd> {
    const { cid } = request.function;
    if (!this.#loaded.has(cid)) {
      const loaded = await thread.load(cid, new Uint8Array(module));
      if (loaded.kind === "failed") return { result: { ...loaded, fuel: 0n, stderr: NO_BYTES }, tookMs: 0 };
      this.#loaded.add(cid);
    }
    const began = performance.now();
    const [result] = await thread.runAll([request]);
    const tookMs = performance.now() - began;
    const isGone = result?.kind === "failed" && result.code === failureCode("function-unavailable");
    if (isGone) this.#loaded.delete(cid);
    return { result: result ?? failed("worker-lost", "the thread gave no result"), tookMs };
  }

  /** @throws ThreadEnd when the thread dies, or is ended because it took longer; the signal's reason when aborted. */
  async #within<T>(
    signal: AbortSignal,
    deadlineMs: number | undefined,
    work: (thread: InspectingThread) => Promise<T>,
  ): Promise<T> {
    signal.throwIfAborted();
    const thread = this.#open();
    const stopped = Promise.withResolvers<never>();
    const stop = (reason: unknown): void => {
      stopped.reject(reason);
      this.#end();
    };
    const onAbort = (): void => stop(signal.reason);
    const timer =
      deadlineMs === undefined
        ? undefined
        : setTimeout(() => stop(new ThreadEnd("late", `longer than ${deadlineMs} ms`)), deadlineMs);
    thread.onDeath((reason) => {
      this.#place = undefined;
      stop(new ThreadEnd("died", reason));
    });
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      return await Promise.race([work(thread), stopped.promise]);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
    }
  }

  #open(): InspectingThread {
    if (this.#thread !== undefined) return this.#thread;
    this.#place ??= openThreadHost(this.#files);
    const thread = startSandboxThread(this.#place, () => this.close());
    this.#thread = thread;
    return thread;
  }

  #end(): void {
    this.#thread?.terminate();
    this.#thread = undefined;
    this.#loaded.clear();
  }
}

async function closePlace(place: Promise<ThreadHost> | undefined): Promise<void> {
  const host = await place?.catch(() => undefined);
  host?.close();
}
