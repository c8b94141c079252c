import type { RelayClient } from "../mesh/relay-client.ts";
import { seal } from "../protocol/envelope.ts";
import { header } from "../protocol/header.ts";
import { closeJobMessage } from "../protocol/messages/job.ts";
import type { JobView } from "../protocol/relay-api.ts";
import type { Signer } from "../protocol/signature.ts";
import type { MadeJob } from "./make-job.ts";

/** The escrow's rest goes back to the payer. @returns the job as the relay has it now. */
export async function closeJob({
  job,
  client,
  ports,
}: {
  readonly job: MadeJob;
  readonly client: Pick<RelayClient, "closeJob">;
  readonly ports: { readonly signer: Signer };
}): Promise<JobView> {
  const close = { ...header(job.body.origin, job.body.asset), job: job.id };
  return client.closeJob(await seal(closeJobMessage, close, [ports.signer]));
}
