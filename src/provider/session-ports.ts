import type { Cid } from "../protocol/cid.ts";
import type { Task } from "../protocol/messages/task.ts";
import type { Signer, Verify } from "../protocol/signature.ts";
import type { TaskArgs } from "../sandbox/task.ts";
import type { WorkOrder } from "./check-open.ts";
import type { CountersignedReceipt, ProviderChannel, TaskEnd } from "./provider-channel.ts";
import type { WorkerPool } from "./worker-pool.ts";

/** The function and files of a job, ready to be run. */
export interface LoadedWork {
  readonly module: Uint8Array;
  readonly args: TaskArgs;
}

/** What a work session needs from the provider around it. */
export interface SessionPorts {
  /** The session key. */
  readonly signer: Signer;
  readonly verify: Verify;
  readonly pool: WorkerPool;
  /** The function and the job's files, from cache, requester or relay. @throws FailureError */
  loadWork(order: WorkOrder): Promise<LoadedWork>;
  /** Keeps a countersigned receipt until the relay has logged it. Does not wait. */
  saveReceipt(receipt: CountersignedReceipt): void;
  /** A worker thread turns to a task, or is done with it. */
  onTask(event: "started" | "ended", channel: ProviderChannel, task: Task): void;
  /** A task has its outcome. */
  onOutcome(end: TaskEnd): void;
  /** The session is over: its newest receipt is to be reported. */
  onEnded(lease: Cid): void;
}
