import { isContradiction, isSameWork, judgeReceipt } from "../../ledger/receipt-rules.ts";
import { openEnvelope, type Unverified, verifiedSync } from "../../protocol/envelope.ts";
import { FailureError } from "../../protocol/failure.ts";
import { requireOrigin } from "../../protocol/header.ts";
import { type Dispute, disputeMessage } from "../../protocol/messages/audit.ts";
import { type Receipt, receiptMessage } from "../../protocol/messages/receipt.ts";
import { type Advance, advanceMessage } from "../../protocol/messages/task.ts";
import type { Draft } from "./draft.ts";
import { drawAt, drawBasis } from "./drawing.ts";
import { type Court, jobIn, leaseIn } from "./judging.ts";
import { joinHashes, sha256 } from "./native-hash.ts";
import { verifyNative } from "./native-keys.ts";
import { convict, requireParties, requireTakesReports } from "./report.ts";
import { settleLease } from "./settling.ts";
import { soleSigner } from "./judging.ts";

/** A dispute as it came, with the two messages in it. */
export interface OpenedDispute {
  readonly message: Unverified<Dispute>;
  readonly receipt: Unverified<Receipt>;
  readonly advance: Unverified<Advance>;
}

/** @throws FailureError `malformed`, `wrong-relay`, `wrong-asset`, `bad-signature` by the form of a signature. */
export function openDispute(court: Court, envelope: Uint8Array): OpenedDispute {
  const message = openEnvelope(disputeMessage, envelope, sha256);
  const receipt = openEnvelope(receiptMessage, message.body.receipt, sha256);
  const advance = openEnvelope(advanceMessage, message.body.advance, sha256);
  for (const body of [message.body, receipt.body, advance.body])
    requireOrigin(body, court.origin, court.asset);
  return { message, receipt, advance };
}

/** @throws FailureError `bad-signature`. */
export function verifyDispute({ message, receipt, advance }: OpenedDispute): void {
  verifiedSync(message, verifyNative);
  verifiedSync(receipt, verifyNative);
  verifiedSync(advance, verifyNative);
}

/**
 * Logs a receipt that the requester of its tasks does not countersign. All its new outcomes are drawn, and its lease is
 * settled: what holds is paid, what does not costs the provider as any false result does. @returns the dispute's entry.
 */
export function logDispute(court: Court, draft: Draft, envelope: Uint8Array, opened: OpenedDispute): number {
  const { message, receipt, advance } = opened;
  const lease = leaseIn(draft, message.body.lease);
  if (receipt.body.lease !== lease.id) throw new FailureError("malformed", "dispute: about another lease");
  const { newest } = lease;
  if (newest !== undefined && (newest.id === receipt.id || isSameWork(newest, receipt.body)))
    return newest.index;
  requireTakesReports(lease, draft);
  if (lease.terms.policyVersion === undefined)
    throw new FailureError("unsupported", "dispute: nothing is recomputed under this lease's policy");
  requireParties(court, draft, { receipt, advance }, lease);
  if (soleSigner(court, draft, message).session !== lease.terms.instance)
    throw new FailureError("wrong-provider", "dispute: not brought by the lease's provider");
  if (newest !== undefined && isContradiction(newest, receipt.id, receipt.body)) {
    convict(court, draft, lease, receipt);
    throw new FailureError("inconsistent-receipt", "contradicts one that is logged");
  }
  const tariff = draft.tariff(lease.terms.tariff);
  if (tariff === undefined) throw new RangeError(`lease ${lease.id} has no tariff`);
  const { prevCount, consistency } = message.body;
  judgeReceipt(
    {
      id: receipt.id,
      isDisputed: true,
      receipt: receipt.body,
      advance: advance.body,
      report: { prevCount, consistency, lost: [] },
      lease,
      job: jobIn(draft, lease.job),
      tariff,
    },
    joinHashes,
  );
  const basis = drawBasis(draft, lease, receipt.body, true);
  const index = draft.append(
    "dispute",
    { lease: lease.id, envelope },
    {
      type: "receipt",
      lease: lease.id,
      id: receipt.id,
      receipt: receipt.body,
      advance: advance.body,
      lost: 0,
    },
    { seq: receipt.body.seq, ...(newest === undefined ? {} : { previous: newest.index }) },
  );
  if (basis !== undefined) drawAt(court, draft, basis, lease.id, index, []);
  settleLease(draft, lease.id, "closed");
  return index;
}
