import type { FailureCode } from "../protocol/failure-code.ts";
import type { Cid } from "../protocol/cid.ts";
import type { SealedSecret } from "../protocol/messages/effect.ts";
import type { Task } from "../protocol/messages/task.ts";
import type { Signer, Verify } from "../protocol/signature.ts";
import type { FunctionSpec, TaskArgs } from "../sandbox/task.ts";
import type { WorkOrder } from "./check-open.ts";
import type { HeldLease } from "./held-lease.ts";
import type { Claim } from "./lease-ends.ts";
import type { CountersignedReceipt, ProviderChannel, TaskEnd } from "./provider-channel.ts";
import type { RunDesk } from "./run-desk.ts";
import type { WorkerPool } from "./worker-pool.ts";

/** The function and files of a job, ready to be run. */
export interface LoadedFunction {
  readonly kind: "function";
  /** One object for all tasks: it is cloned once for those that go to a thread together. */
  readonly spec: FunctionSpec;
  readonly module: Uint8Array;
  readonly args: TaskArgs;
}

/** A model of a job, its weights on this machine. */
export interface LoadedModel {
  readonly kind: "model";
  /** Runs one task, after those before it. Never rejects for what the task does. */
  run(task: ModelTask): Promise<ModelResult>;
}

/** An effect that this provider may carry out. */
export interface LoadedEffect {
  readonly kind: "effect";
  /** Carries it out once. Never rejects for what the task does. @param onStart it begins */
  run(
    task: Task,
    input: Uint8Array,
    secrets: readonly SealedSecret[],
    signal: AbortSignal,
    onStart: () => void,
  ): Promise<EffectResult>;
}

/** How an effect ended. */
export type EffectResult =
  | {
      readonly kind: "done";
      readonly output: Uint8Array;
      readonly outputCid: Cid;
      /** Encoded capability and record, and the record's CID. */
      readonly capability: Uint8Array;
      readonly record: Uint8Array;
      readonly effectsCid: Cid;
    }
  | { readonly kind: "failed"; readonly code: FailureCode; readonly detail: string };

export type LoadedWork = LoadedFunction | LoadedModel | LoadedEffect;

/** One task for a model. */
export interface ModelTask {
  readonly input: Uint8Array;
  readonly fuelLimit: bigint;
  /** Most bytes of all outputs together. */
  readonly outputBytes: number;
  /** From the moment the model turns to it. */
  readonly deadlineMs: number;
  /** Gives it back when it has not started, ends it when it has. */
  readonly signal: AbortSignal;
  /** The model turns to it. */
  readonly onStart: () => void;
  /** A part of a stream, but for the last. The next one is begun when this resolves. */
  readonly onPart: (part: ModelPart) => Promise<void>;
}

/** What came out since the part before. */
export interface ModelPart {
  readonly output: Uint8Array;
  readonly outputSha256: Uint8Array;
  readonly fuel: bigint;
  /** Units told so far; 0 where the task is no stream. */
  readonly to: number;
  /** The chained hash of what was computed. */
  readonly stateHash: Uint8Array;
}

/** How a task of a model ended; `part` is the last one. */
export type ModelResult =
  | { readonly kind: "done"; readonly part: ModelPart; readonly inputSha256: Uint8Array }
  | {
      readonly kind: "failed";
      readonly code: FailureCode;
      readonly detail: string;
      /** Since the part before; counts where the code is the task's own. */
      readonly fuel: bigint;
    };

/** What a work session needs from the provider around it. */
export interface SessionPorts {
  /** The session key. */
  readonly signer: Signer;
  readonly verify: Verify;
  readonly pool: WorkerPool;
  /** The function and the job's files, from cache, requester or relay. @throws FailureError */
  loadWork(order: WorkOrder): Promise<LoadedWork>;
  /** Where what a draw may ask for is held; nothing where the lease is not audited. @param onFreed there is room again */
  hold?(order: WorkOrder, onFreed: () => void): HeldLease | undefined;
  /** Steps of runs; without it their tasks are refused. */
  readonly runs?: Pick<RunDesk, "fetchInput" | "finish" | "keep">;
  /** Keeps a countersigned receipt until the relay has logged it. Does not wait. */
  saveReceipt(receipt: CountersignedReceipt): void;
  /** A worker thread turns to a task, or is done with it. */
  onTask(event: "started" | "ended", channel: ProviderChannel, task: Task): void;
  /** A task has its outcome, or with `isLast` false a part of a stream. */
  onOutcome(end: TaskEnd, isLast: boolean): void;
  /** The session is over: its newest receipt is to be reported, and what the requester has not signed to be claimed. */
  onEnded(lease: Cid, claim: Claim | undefined): void;
}
