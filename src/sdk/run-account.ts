import type { Cid } from "../protocol/cid.ts";
import type { RunSummary, RunView } from "../protocol/run-views.ts";
import { type AccountOwner, openDesk } from "./account-desk.ts";

/** Runs as their relay has them. Views: nothing of it is proven here, a run's record is. */

/**
 * Runs that an account started or pays for, newest first. @param page.before an entry index to continue below
 * @throws FailureError when the relay cannot be reached
 */
export async function listRuns(
  owner: AccountOwner,
  page: { readonly limit: number; readonly before?: number },
  signal?: AbortSignal,
): Promise<readonly RunSummary[]> {
  const { client, signer } = await openDesk(owner);
  return client.runs(signer.key, page, signal);
}

/** What is spent, set aside and left of a run, its jobs and who coordinates it. @throws FailureError `not-found` */
export async function runView(owner: AccountOwner, run: Cid, signal?: AbortSignal): Promise<RunView> {
  const { client } = await openDesk(owner);
  return client.run(run, signal);
}
