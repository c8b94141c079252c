import { type Cid } from "../protocol/cid.ts";
import { openEnvelope, readBody } from "../protocol/envelope.ts";
import type {
  SettleBody,
  ReleaseBody,
  ForfeitBody,
  PayoutCancelBody,
  TypedEntry,
} from "../protocol/messages/entry.ts";
import { type Job, jobMessage } from "../protocol/messages/job.ts";
import { type Lease, leaseMessage } from "../protocol/messages/lease.ts";
import { type Receipt, receiptMessage, reportMessage } from "../protocol/messages/receipt.ts";
import { type Advance, advanceMessage } from "../protocol/messages/task.ts";
import type { PeerId } from "../protocol/peer-id.ts";
import type { MicroCredits } from "../protocol/units.ts";

/** What an entry means for the accounts: its body with the envelopes in it opened. */
export type LedgerEvent =
  | { readonly type: "income"; readonly account: PeerId; readonly amount: MicroCredits }
  | {
      readonly type: "payout-prepare" | "payout" | "payout-cancel";
      readonly body: PayoutCancelBody;
    }
  | { readonly type: "escrow"; readonly job: Cid; readonly terms: Job; readonly signers: readonly PeerId[] }
  | { readonly type: "lease"; readonly lease: Cid; readonly revision: Cid; readonly terms: Lease }
  | {
      readonly type: "receipt";
      readonly lease: Cid;
      readonly id: Cid;
      readonly receipt: Receipt;
      readonly advance: Advance;
    }
  | { readonly type: "cancel"; readonly lease: Cid }
  | { readonly type: "settle"; readonly body: SettleBody }
  | { readonly type: "release"; readonly body: ReleaseBody }
  | { readonly type: "forfeit"; readonly body: ForfeitBody }
  /** Moves no money. */
  | { readonly type: "other" };

const OTHER: LedgerEvent = { type: "other" };

function receiptEvent(lease: Cid, envelope: Uint8Array): LedgerEvent {
  const report = readBody(reportMessage, envelope);
  const { id, body } = openEnvelope(receiptMessage, report.receipt);
  return {
    type: "receipt",
    lease,
    id,
    receipt: body,
    advance: openEnvelope(advanceMessage, report.advance).body,
  };
}

/** @throws FailureError `malformed` when an envelope inside is none. Signatures are not looked at. */
export function eventOf(entry: TypedEntry): LedgerEvent {
  switch (entry.type) {
    case "deposit":
    case "grant":
      return { type: "income", account: entry.body.account, amount: entry.body.amount };
    case "payout-prepare":
    case "payout":
    case "payout-cancel":
      return { type: entry.type, body: entry.body };
    case "escrow": {
      const { body, signedBy } = openEnvelope(jobMessage, entry.body.envelope);
      return { type: "escrow", job: entry.body.job, terms: body, signers: signedBy.map(({ key }) => key) };
    }
    case "lease": {
      const { id, body } = openEnvelope(leaseMessage, entry.body.envelope);
      return { type: "lease", lease: entry.body.lease, revision: id, terms: body };
    }
    case "receipt":
      return receiptEvent(entry.body.lease, entry.body.envelope);
    case "cancel":
      return { type: "cancel", lease: entry.body.lease };
    case "settle":
      return { type: "settle", body: entry.body };
    case "release":
      return { type: "release", body: entry.body };
    case "forfeit":
      return { type: "forfeit", body: entry.body };
    case "payout-address":
    case "payout-batch":
    case "policy":
    case "draw":
    case "verdict":
    case "epoch-open":
    case "key-rotate":
    case "key-revoke":
    case "api-key":
    case "api-key-revoke":
    case "bar":
      return OTHER;
    default:
      return entry satisfies never;
  }
}
