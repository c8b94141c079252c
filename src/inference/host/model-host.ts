import type { Backend } from "../backend.ts";
import type { FailureCode } from "../../protocol/failure-code.ts";
import type { KernelProperty } from "../../protocol/property.ts";

/**
 * What computes: `auto` takes WebGPU where it answers rightly and is the faster one, else WebAssembly. While it tries both, the
 * file and two copies of its weights are in memory.
 */
export type BackendChoice = "auto" | Backend["name"];

export interface OpenOptions {
  readonly backend: BackendChoice;
  /** What the manifest says that the model needs when it is open, bytes. A file that needs more, by its own header, is not opened. */
  readonly memoryBytes?: number;
}

export type OpenOutcome =
  | {
      readonly kind: "open";
      readonly backend: Backend["name"];
      /** Bytes of weights, keys and values, and everything else that the backend holds. */
      readonly memoryBytes: number;
      /** Why WebGPU was asked for and is not what computes, for a person. */
      readonly reason?: string;
    }
  | { readonly kind: "failed"; readonly code: FailureCode; readonly detail: string };

/** One task for the model that is open. */
export interface HostTask {
  /** One of MODEL_ENTRIES. */
  readonly entry: string;
  /** See model-task.ts. */
  readonly input: Uint8Array;
  /** Of the whole task. What it does not cover, a token or a text, does not count: every machine ends at the same point. */
  readonly fuelLimit: bigint;
  /** Of all outputs together, see OUTPUT_RESERVE_BYTES of limits.ts. */
  readonly outputBytes: number;
  /** Units at which the parts of a stream end, instead of by time: who computes it again cuts as the first one did. */
  readonly cuts?: readonly number[];
}

/** What came out since the part before. */
export interface HostPart {
  readonly output: Uint8Array;
  readonly outputSha256: Uint8Array;
  readonly fuel: bigint;
  /** Tokens written in this task so far; 0 where the task is no stream. */
  readonly to: number;
  /** The chained hash of what was computed. */
  readonly stateHash: Uint8Array;
  /** Tokens that were written, or taken in where none are written: what a rate counts. */
  readonly tokens: number;
}

/**
 * How a task ended; `part` is the last one. Failures with codes of the task itself are the same on every machine; `no-memory`,
 * `gpu-lost` and `worker-lost` are this machine's, `cancelled` is who stopped it.
 */
export type HostResult =
  | { readonly kind: "done"; readonly part: HostPart; readonly inputSha256: Uint8Array }
  | {
      readonly kind: "failed";
      readonly code: FailureCode;
      readonly detail: string;
      /** Since the part before. */
      readonly fuel: bigint;
    };

/** A challenge to the kernels of one backend, see probe.ts. */
export interface MeasureTask {
  readonly kernels: KernelProperty;
  /** 32 bytes. */
  readonly seed: Uint8Array;
  readonly passes: number;
}

export type MeasureResult =
  | {
      readonly kind: "done";
      /** 32 bytes. */
      readonly output: Uint8Array;
      /** Whether the processor stood in for a graphics card. */
      readonly isSoftware: boolean;
    }
  | { readonly kind: "failed"; readonly code: FailureCode; readonly detail: string };

/** Told how many bytes of a model have been read. */
export type OnProgress = (done: number, total: number) => void;

/** Told parts of a stream but for the last; the next one is begun when it resolves. */
export type OnPart = (part: HostPart) => Promise<void>;

/** Models in the thread that calls: one is open at a time, and runs one task at a time. What goes wrong is a value. */
export interface ModelHost {
  /**
   * Makes a model ready; another one that was open is closed before. One that is open already, on that backend, stays.
   * @param cid of the manifest, which every hash begins with
   * @param file bytes of the .tmm, read once. Fails with `out-of-memory` where its manifest has lied about it
   */
  open(cid: string, file: Blob, options: OpenOptions, onProgress: OnProgress): Promise<OpenOutcome>;
  /** Runs a task on the open model. After `gpu-lost` nothing is open. */
  run(task: HostTask, onPart: OnPart): Promise<HostResult>;
  /**
   * Computes a challenge, while nothing runs. A graphics card is not opened for it: fails with `gpu-lost` where none is open
   * for a model, and with `cancelled` where `stop` is called.
   */
  measure(task: MeasureTask): Promise<MeasureResult>;
  /** Ends the running task. Resolves when it has ended: within 100 ms, unless one step of the model takes longer. */
  stop(): Promise<void>;
  close(): Promise<void>;
}
