import type { LoggedReceipt } from "../../ledger/ledger-state.ts";
import { isContradiction, isSameWork, judgeReceipt } from "../../ledger/receipt-rules.ts";
import { equalBytes } from "../../protocol/bytes.ts";
import type { Cid } from "../../protocol/cid.ts";
import { openEnvelope, readBody, type Unverified, verifiedSync } from "../../protocol/envelope.ts";
import { FailureError } from "../../protocol/failure.ts";
import { decodeEntry, decodeEntryOf } from "../../protocol/messages/entry.ts";
import { requireOrigin } from "../../protocol/header.ts";
import {
  endedTasks,
  type Receipt,
  receiptMessage,
  type Report,
  reportMessage,
} from "../../protocol/messages/receipt.ts";
import { type Advance, advanceMessage } from "../../protocol/messages/task.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import type { Draft } from "./draft.ts";
import { drawAt, drawBasis } from "./drawing.ts";
import { barFor } from "./keep-evidence.ts";
import { type Court, jobIn, leaseIn, soleSigner } from "./judging.ts";
import { joinHashes, sha256 } from "./native-hash.ts";
import { verifyNative } from "./native-keys.ts";
import { vest } from "./releasing.ts";
import { passOn, settleLease } from "./settling.ts";
import type { LeaseState } from "./standing.ts";

/** A report as it came, with the two messages in it. */
export interface OpenedReport {
  readonly envelope: Uint8Array;
  readonly report: Report;
  readonly receipt: Unverified<Receipt>;
  readonly advance: Unverified<Advance>;
  /** Both signatures hold. */
  isVerified: boolean;
}

/** @throws FailureError `malformed`, `wrong-relay`, `wrong-asset`, `bad-signature` by the form of a signature. */
export function openReport(court: Court, envelope: Uint8Array): OpenedReport {
  const report = readBody(reportMessage, envelope);
  const receipt = openEnvelope(receiptMessage, report.receipt, sha256);
  const advance = openEnvelope(advanceMessage, report.advance, sha256);
  for (const body of [report, receipt.body, advance.body]) requireOrigin(body, court.origin, court.asset);
  return { envelope, report, receipt, advance, isVerified: false };
}

/** @throws FailureError `bad-signature` unless receipt and advance are signed by whom they say. */
export function verifyReport(opened: OpenedReport): void {
  if (opened.isVerified) return;
  verifiedSync(opened.receipt, verifyNative);
  verifiedSync(opened.advance, verifyNative);
  opened.isVerified = true;
}

/** The provider's instance has signed the receipt, and the requester's key the advance (rule 12). */
export function requireParties(
  court: Court,
  draft: Draft,
  { receipt, advance }: Pick<OpenedReport, "receipt" | "advance">,
  { terms, job }: LeaseState,
): void {
  const provider = soleSigner(court, draft, receipt);
  if (
    provider.session !== terms.instance ||
    provider.root !== terms.provider ||
    receipt.body.provider !== terms.provider
  )
    throw new FailureError(
      "wrong-provider",
      `the lease is ${terms.provider}'s, for its key ${terms.instance}`,
    );
  const requester = soleSigner(court, draft, advance);
  if (requester.session !== terms.requesterKey || requester.root !== jobIn(draft, job).terms.requester)
    throw new FailureError("bad-signature", "advance: not signed by the key that the lease names");
}

/** Where this very receipt is logged already, by its CID. */
function loggedAt(
  draft: Draft,
  { newest }: LeaseState,
  { id, body }: Unverified<Receipt>,
): number | undefined {
  if (newest === undefined || body.seq > newest.seq) return undefined;
  if (newest.id === id) return newest.index;
  const index = draft.receiptEntry(newest.index, body.seq);
  const entry = index === undefined ? undefined : draft.entry(index);
  // A dispute settles its lease, so it is never looked back to.
  if (entry === undefined || decodeEntry(entry).type !== "receipt") return undefined;
  const logged = readBody(reportMessage, decodeEntryOf("receipt", entry).body.envelope);
  return openEnvelope(receiptMessage, logged.receipt).id === id ? index : undefined;
}

export function requireTakesReports({ state, reportBy, terms }: LeaseState, draft: Draft): void {
  if (state === "settled") throw new FailureError("lease-ended", "the lease is settled");
  if (draft.time > reportBy) throw new FailureError("lease-ended", "the lease's time to report has passed");
  if (draft.barred(terms.instance) !== undefined)
    throw new FailureError("key-revoked", `${terms.instance} has contradicted itself and is barred`);
}

/**
 * A report that declares leaves lost states something of its own, so its signature counts. Any other only brings receipt
 * and advance, which speak for themselves whoever brings them; its signature is not looked at.
 */
function requireReporter(court: Court, draft: Draft, envelope: Uint8Array, instance: PeerId): void {
  const signed = openEnvelope(reportMessage, envelope, sha256);
  if (soleSigner(court, draft, signed).session !== instance)
    throw new FailureError("wrong-provider", "only the provider can declare leaves lost");
  verifiedSync(signed, verifyNative);
}

/** Two signed receipts contradict each other: the session key is barred, and its leases end with what was logged (rule 12). */
export function convict(
  court: Court,
  draft: Draft,
  { newest, terms }: LeaseState,
  receipt: Unverified<Receipt>,
): void {
  const { instance } = terms;
  if (newest !== undefined) barFor(court, draft, instance, "receipts", newest.index, receipt.bytes);
  for (const id of draft.leasesBoundTo(instance)) settleLease(draft, id, "void");
}

/** Two advances of one lease (others have tasks of their own) that cannot both be true: as many tasks, and not the same ones (rule 1). */
function namesOtherTasks(lease: Cid, newest: LoggedReceipt, advance: Advance): boolean {
  if (advance.lease !== lease || advance.taskCount !== newest.taskCount) return false;
  return !equalBytes(advance.tasksRoot, newest.tasksRoot);
}

function appendReceipt(
  draft: Draft,
  { envelope, report, receipt, advance }: OpenedReport,
  lease: LeaseState,
): number {
  const { id, newest } = lease;
  return draft.append(
    "receipt",
    { lease: id, envelope },
    {
      type: "receipt",
      lease: id,
      id: receipt.id,
      receipt: receipt.body,
      advance: advance.body,
      lost: report.lost.length,
    },
    { seq: receipt.body.seq, ...(newest === undefined ? {} : { previous: newest.index }) },
  );
}

/**
 * Judges a report and logs it.
 * @returns the receipt's entry; or, when what the log keeps of the report is that it convicts the provider, the failure
 * to answer with. See Books.report.
 */
export function logReport(court: Court, draft: Draft, opened: OpenedReport): number | FailureError {
  const { receipt, advance } = opened;
  const lease = leaseIn(draft, receipt.body.lease);
  const known = loggedAt(draft, lease, receipt);
  if (known !== undefined) return known;
  const { newest, state } = lease;
  if (state === "settled" && newest !== undefined && isSameWork(newest, receipt.body)) return newest.index;
  requireTakesReports(lease, draft);
  requireParties(court, draft, opened, lease);
  verifyReport(opened);
  if (opened.report.lost.length > 0) requireReporter(court, draft, opened.envelope, lease.terms.instance);
  if (newest !== undefined && isContradiction(newest, receipt.id, receipt.body)) {
    convict(court, draft, lease, receipt);
    return new FailureError(
      "inconsistent-receipt",
      "contradicts one that is logged; the session key is barred",
    );
  }
  if (newest !== undefined && namesOtherTasks(lease.id, newest, advance.body)) {
    barFor(court, draft, lease.terms.requesterKey, "advances", newest.index, advance.bytes);
    return new FailureError("unnamed-task", "the requester named other tasks before; its key is barred");
  }
  const job = jobIn(draft, lease.job);
  const tariff = draft.tariff(lease.terms.tariff);
  if (tariff === undefined) throw new RangeError(`lease ${lease.id} has no tariff`);
  const facts = {
    id: receipt.id,
    receipt: receipt.body,
    advance: advance.body,
    report: opened.report,
    lease,
    job,
    tariff,
  };
  judgeReceipt(facts, joinHashes);
  const basis = drawBasis(draft, lease, receipt.body, false);
  const index = appendReceipt(draft, opened, lease);
  if (basis !== undefined) drawAt(court, draft, basis, lease.id, index, opened.report.lost);
  const isClosed = advance.body.close && endedTasks(receipt.body) === advance.body.taskCount;
  if (receipt.body.final || isClosed) {
    settleLease(draft, lease.id, receipt.body.final ? "final" : "closed");
    vest(draft, lease.id);
  } else passOn(draft, lease.job);
  return index;
}
