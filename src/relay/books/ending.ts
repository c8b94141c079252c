import { mayCoordinate } from "../../ledger/run-rules.ts";
import type { Cid } from "../../protocol/cid.ts";
import type { Verified } from "../../protocol/envelope.ts";
import { FailureError } from "../../protocol/failure.ts";
import { requireOrigin } from "../../protocol/header.ts";
import type { CloseJob } from "../../protocol/messages/job.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import type { Cancel } from "../../protocol/messages/task.ts";
import type { Draft } from "./draft.ts";
import { type Court, jobIn, leaseIn, soleSigner } from "./judging.ts";
import { passOn, releaseFree } from "./settling.ts";

/** Gives a lease back. Doing so again changes nothing. @returns its job. See Books.cancelLease. */
export function cancelLease(court: Court, draft: Draft, cancel: Verified<Cancel>): Cid {
  const { body } = cancel;
  requireOrigin(body, court.origin, court.asset);
  const lease = leaseIn(draft, body.lease);
  const signer = soleSigner(court, draft, cancel);
  if (!mayReturn(draft, lease.job, signer.root))
    throw new FailureError("bad-signature", "cancel: not signed by the job's requester");
  if (body.seq !== 0) throw new FailureError("malformed", "cancel: a lease is given back from seq 0");
  if (lease.state === "open") {
    draft.append("cancel", { lease: lease.id, envelope: cancel.bytes }, { type: "cancel", lease: lease.id });
    passOn(draft, lease.job);
  }
  return lease.job;
}

/**
 * The requester may give a lease back; where another coordinator of its run has taken its step over, or the run is over for it, so
 * may whoever takes part: else the budget would wait for somebody who has gone.
 */
function mayReturn(draft: Draft, id: Cid, root: PeerId): boolean {
  const { terms, state } = jobIn(draft, id);
  if (root === terms.requester) return true;
  const run = terms.run === undefined ? undefined : draft.runs.run(terms.run.id);
  if (run === undefined || terms.run === undefined || state === "open") return false;
  const { node, turn } = terms.run;
  const isLeft =
    run.endedIndex !== undefined ||
    !mayCoordinate(run, terms.requester) ||
    (draft.runs.lastTurn(run.id, node) ?? 0) > turn;
  return isLeft && (root === run.terms.payer || mayCoordinate(run, root));
}

/** Ends a job: what is free goes back now, the rest as its leases settle. Doing so again changes nothing. */
export function closeJob(court: Court, draft: Draft, close: Verified<CloseJob>): Cid {
  const { body } = close;
  requireOrigin(body, court.origin, court.asset);
  const { terms, state } = jobIn(draft, body.job);
  const { root } = soleSigner(court, draft, close);
  if (root !== terms.requester && root !== terms.payer)
    throw new FailureError("bad-signature", "close-job: not signed by the job's requester or payer");
  if (state === "open") releaseFree(draft, body.job);
  return body.job;
}
