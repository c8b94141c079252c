import type { SettleBody } from "../../protocol/messages/entry.ts";
import type { Cid } from "../../protocol/cid.ts";
import type { Draft } from "./draft.ts";
import { jobIn, leaseIn } from "./judging.ts";
import { vest } from "./releasing.ts";

/** Gives the payer what is free in a job, and takes no leases any more. */
export function releaseFree(draft: Draft, id: Cid): void {
  const job = jobIn(draft, id);
  const body = { job: id, payer: job.terms.payer, amount: job.unbound };
  draft.append("release", body, { type: "release", body });
}

/** In a job that is being closed, money that became free goes on to the payer. */
export function passOn(draft: Draft, id: Cid): void {
  const job = jobIn(draft, id);
  if (job.state === "closing" && job.unbound > 0n) releaseFree(draft, id);
}

/** Ends a lease: pays what its newest receipt states, once, and frees the rest. */
export function settleLease(draft: Draft, id: Cid, reason: SettleBody["reason"]): void {
  const lease = leaseIn(draft, id);
  if (lease.state === "settled") return;
  const { newest, terms, bound, job } = lease;
  const body: SettleBody = {
    lease: id,
    job,
    provider: terms.provider,
    ...(newest === undefined ? {} : { receiptIndex: newest.index }),
    paid: lease.earned,
    returned: bound,
    reason,
  };
  draft.append("settle", body, { type: "settle", body });
  draft.countEarned(terms.provider, body.paid);
  passOn(draft, job);
}

/** Ends leases past their report time, and jobs past their expiry, as of the draft's time. */
export function settlePast(draft: Draft, due: { leases: readonly Cid[]; jobs: readonly Cid[] }): number {
  let count = 0;
  for (const id of due.leases) {
    const lease = leaseIn(draft, id);
    if (lease.state === "settled" || lease.reportBy >= draft.time) continue;
    settleLease(draft, id, lease.newest === undefined ? "void" : "report-by");
    vest(draft, id);
    count += 1;
  }
  for (const id of due.jobs) {
    if (jobIn(draft, id).state !== "open") continue;
    releaseFree(draft, id);
    count += 1;
  }
  return count;
}
