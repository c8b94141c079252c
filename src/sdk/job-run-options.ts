import type { RelayContact } from "../ledger/relay-contact.ts";
import type { Mesh } from "../mesh/mesh.ts";
import type { RelayClient } from "../mesh/relay-client.ts";
import type { JobOptions } from "./job-options.ts";
import type { Lookout } from "./lookout.ts";
import type { MadeJob } from "./make-job.ts";
import type { RequesterPorts } from "./requester-session.ts";
import type { StepWatch } from "./step-watch.ts";
import type { TaskWatch } from "./task-watch.ts";
import type { StepInput } from "./work-queue.ts";

export interface JobRunOptions {
  readonly job: MadeJob;
  readonly inputs: AsyncIterable<Uint8Array | StepInput>;
  /** How many inputs there are, where it is known. */
  readonly total?: number;
  readonly options: Pick<JobOptions, "accept" | "noProviderTimeoutMs" | "onProgress" | "signal">;
  /** Of a job of a model: what is known about its outputs. */
  readonly watch?: TaskWatch;
  /** Of a job that belongs to a run: its inputs come over time, and what becomes of them is told here alone. */
  readonly steps?: StepWatch;
  readonly mesh: Mesh;
  readonly client: RelayClient;
  readonly contact: RelayContact;
  /** Tells of providers that the relay does not hear. */
  readonly lookout?: Pick<Lookout, "watch">;
  readonly ports: Omit<RequesterPorts, "onRoom">;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}
