import type { Cid, Digest } from "../protocol/cid.ts";
import { readBody, readMessage } from "../protocol/envelope.ts";
import {
  disputeMessage,
  drawMessage,
  retireMessage,
  type VerdictResult,
  verdictMessage,
} from "../protocol/messages/audit.ts";
import type { SettleBody, ReleaseBody, TypedEntry } from "../protocol/messages/entry.ts";
import type { PayoutCancelBody } from "../protocol/messages/payout-entries.ts";
import type { TransferBody } from "../protocol/messages/assign.ts";
import type { ForfeitBody, UnbondBody, VestBody } from "../protocol/messages/record-entries.ts";
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
      /** Leaves declared lost: unpaid. */
      readonly lost: number;
    }
  | { readonly type: "draw"; readonly lease: Cid; readonly leaves: number }
  | { readonly type: "verdict"; readonly lease: Cid; readonly result: VerdictResult }
  | { readonly type: "vest"; readonly body: VestBody }
  | { readonly type: "retire"; readonly account: PeerId }
  | { readonly type: "unbond"; readonly body: UnbondBody }
  | { readonly type: "reset"; readonly provider: PeerId }
  | { readonly type: "cancel"; readonly lease: Cid }
  | { readonly type: "settle"; readonly body: SettleBody }
  | { readonly type: "release"; readonly body: ReleaseBody }
  | { readonly type: "transfer"; readonly body: TransferBody }
  | { readonly type: "forfeit"; readonly body: ForfeitBody }
  /** Moves no money. */
  | { readonly type: "other" };

const OTHER: LedgerEvent = { type: "other" };

/** A report, or a dispute: a receipt that its requester has not countersigned. */
interface Statement {
  readonly receipt: Uint8Array;
  readonly advance: Uint8Array;
  readonly lost?: readonly number[];
}

function receiptEvent(lease: Cid, { receipt, advance, lost = [] }: Statement, digest?: Digest): LedgerEvent {
  const { id, body } = readMessage(receiptMessage, receipt, digest);
  return {
    type: "receipt",
    lease,
    id,
    receipt: body,
    advance: readBody(advanceMessage, advance),
    lost: lost.length,
  };
}

/**
 * Signatures are not looked at.
 * @param digest the runtime's SHA-256 where it can hash at once.
 * @throws FailureError `malformed` when an envelope inside is none.
 */
export function eventOf(entry: TypedEntry, digest?: Digest): LedgerEvent {
  switch (entry.type) {
    case "deposit":
    case "grant":
      return { type: "income", account: entry.body.account, amount: entry.body.amount };
    case "payout-prepare":
    case "payout":
    case "payout-cancel":
      return { type: entry.type, body: entry.body };
    case "escrow": {
      const { body, signers } = readMessage(jobMessage, entry.body.envelope, digest);
      return { type: "escrow", job: entry.body.job, terms: body, signers };
    }
    case "lease": {
      const { id, body } = readMessage(leaseMessage, entry.body.envelope, digest);
      return { type: "lease", lease: entry.body.lease, revision: id, terms: body };
    }
    case "receipt":
      return receiptEvent(entry.body.lease, readBody(reportMessage, entry.body.envelope), digest);
    case "dispute":
      return receiptEvent(entry.body.lease, readBody(disputeMessage, entry.body.envelope), digest);
    case "draw": {
      const { lease, leaves } = readBody(drawMessage, entry.body.envelope);
      return { type: "draw", lease, leaves: leaves.length };
    }
    case "verdict": {
      const { lease, result } = readBody(verdictMessage, entry.body.envelope);
      return { type: "verdict", lease, result };
    }
    case "vest":
      return { type: "vest", body: entry.body };
    case "retire":
      return { type: "retire", account: readBody(retireMessage, entry.body.envelope).account };
    case "retire-idle":
      return { type: "retire", account: entry.body.account };
    case "unbond":
      return { type: "unbond", body: entry.body };
    case "reset":
      return { type: "reset", provider: entry.body.provider };
    case "cancel":
      return { type: "cancel", lease: entry.body.lease };
    case "settle":
      return { type: "settle", body: entry.body };
    case "release":
      return { type: "release", body: entry.body };
    case "forfeit":
      return { type: "forfeit", body: entry.body };
    case "transfer":
      return { type: "transfer", body: entry.body };
    case "assign":
    case "payout-address":
    case "payout-batch":
    case "policy":
    case "reveal":
    case "epoch-open":
    case "key-rotate":
    case "key-revoke":
    case "api-key":
    case "api-key-revoke":
    case "run":
    case "run-holders":
    case "run-end":
    case "bar":
      return OTHER;
    default:
      return entry satisfies never;
  }
}
