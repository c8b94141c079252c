import type { RelayClient } from "../mesh/relay-client.ts";
import type { JobRun } from "./job-run.ts";
import type { JobGround, MadeJob } from "./make-job.ts";
import type { JobPayer, ModelJobOptions } from "./model-options.ts";
import type { TaskWatch } from "./task-watch.ts";

/** What jobs of models need from the requester around them. */
export interface ModelPorts {
  readonly client: RelayClient;
  /** Key, money and randomness of the next job. @param payer where it is not the requester */
  ground(largestInput: number, payer: JobPayer | undefined): Promise<JobGround>;
  /** Begins to carry a job out. */
  start(
    job: MadeJob,
    inputs: readonly Uint8Array[],
    options: ModelJobOptions & { readonly watch: TaskWatch },
  ): JobRun;
}
