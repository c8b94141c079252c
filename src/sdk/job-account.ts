import { createRelayClient } from "../mesh/relay-client.ts";
import type { Cid } from "../protocol/cid.ts";
import { seal } from "../protocol/envelope.ts";
import { header } from "../protocol/header.ts";
import { closeJobMessage } from "../protocol/messages/job.ts";
import type { JobView } from "../protocol/relay-api.ts";
import { type AccountOwner, openDesk } from "./account-desk.ts";

/**
 * A job as its relay has it: what is set aside, spent and given back, and how far its audits are. A view: nothing of it is
 * proven here. @param relay origin of its HTTP server. @throws FailureError `not-found`; when the relay cannot be reached
 */
export async function jobView(relay: string, job: Cid, signal?: AbortSignal): Promise<JobView> {
  const client = createRelayClient({ baseUrl: relay, fetch: (input, init) => fetch(input, init) });
  return client.job(job, signal);
}

/**
 * Ends a job whose requester is gone: what is free comes back at once, the rest as its leases are settled. Doing so again
 * changes nothing. @throws FailureError `bad-signature` for a job of somebody else, `not-found`
 */
export async function endJob(owner: AccountOwner, job: Cid): Promise<JobView> {
  const { client, info, signer } = await openDesk(owner);
  const close = { ...header(info.origin, info.asset), job };
  return client.closeJob(await seal(closeJobMessage, close, [signer]));
}
