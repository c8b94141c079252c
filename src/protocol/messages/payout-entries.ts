import type { Cid } from "../cid.ts";
import { MAX_ENVELOPE_BYTES } from "../limits.ts";
import type { PeerId } from "../peer-id.ts";
import { amount, bytesInPlace, cid, peer, record, type Schema, text } from "../schema.ts";
import type { MicroCredits } from "../units.ts";
import { type PayoutLine, payoutAddressText } from "./payout.ts";

/** Bodies of entries about batches of payouts. */

/** A batch begins; the entries of its lines follow at once. */
export interface PayoutBatchBody {
  /** CID of the payout-batch. */
  readonly batch: Cid;
  /** payout-batch envelope, signed by the relay's lease key. */
  readonly envelope: Uint8Array;
}

/** One line of a batch: money is set aside to be paid out. */
export interface PayoutPrepareBody extends PayoutLine {
  readonly batch: Cid;
}

/** The line was paid: its money has left. `reference` is the payment's identity outside. */
export interface PayoutBody extends PayoutLine {
  readonly batch: Cid;
  readonly reference: string;
}

/** The line will not be paid: its money is available again. */
export interface PayoutCancelBody {
  readonly batch: Cid;
  readonly account: PeerId;
  readonly amount: MicroCredits;
}

export const payoutBatchSchema: Schema<PayoutBatchBody> = record<PayoutBatchBody>({
  batch: cid,
  envelope: bytesInPlace(MAX_ENVELOPE_BYTES),
});

export const payoutPrepareSchema: Schema<PayoutPrepareBody> = record<PayoutPrepareBody>({
  batch: cid,
  account: peer,
  amount,
  address: payoutAddressText,
});

export const payoutSchema: Schema<PayoutBody> = record<PayoutBody>({
  batch: cid,
  account: peer,
  amount,
  address: payoutAddressText,
  reference: text(256),
});

export const payoutCancelSchema: Schema<PayoutCancelBody> = record<PayoutCancelBody>({
  batch: cid,
  account: peer,
  amount,
});
