import type { Task } from "../protocol/messages/task.ts";
import type { Signer, Verify } from "../protocol/signature.ts";
import type { WorkOrder } from "./check-open.ts";
import type { CountersignedReceipt, ProviderChannel, TaskEnd } from "./provider-channel.ts";
import type { LoadedWork } from "./work-session.ts";
import type { WorkerPool } from "./worker-pool.ts";

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
}
