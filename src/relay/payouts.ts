import type { Cid } from "../protocol/cid.ts";
import type { Verified } from "../protocol/envelope.ts";
import type { PayoutAddress, PayoutLine } from "../protocol/messages/payout.ts";
import type { Inclusion } from "../protocol/messages/receipt.ts";
import type { PeerId } from "../protocol/peer-id.ts";
import type { PayoutAddressView, PayoutView } from "../protocol/relay-api.ts";
import type { MicroCredits } from "../protocol/units.ts";
import type { PayoutBatchRow, PayoutGaps } from "./store/payout-rows.ts";

/**
 * Money that comes in from outside and goes out again; part of the books. A batch is prepared, which sets its money aside,
 * and then ends once: paid or cancelled, all its lines together. Until it has ended there is no other one. Everything may be
 * asked for again after an answer was lost.
 */
export interface Payouts {
  /**
   * Money that the operator received: a deposit, or a grant where the money is test credits. The same account, amount
   * and reference again answer with the same entry.
   * @param reference what the operator calls the payment, 1 to 256 bytes; public, as the log is.
   * @throws FailureError `replayed` when the reference stands for another payment, `malformed`, `too-large`.
   */
  credit(account: PeerId, amount: MicroCredits, reference: string): Promise<Inclusion>;

  /**
   * Logs where an account wants its money. The same message again answers with the same entry.
   * @throws FailureError `bad-signature` unless the account itself signed it, `replayed` when it does not follow the newest
   * one, `wrong-asset` where the money is test credits, `denied`.
   */
  setAddress(message: Verified<PayoutAddress>): Promise<Inclusion>;
  address(account: PeerId): PayoutAddressView | undefined;

  /**
   * Sets money aside for every account that has at least `minimum` available and an address that counts; at most
   * MAX_PAYOUT_LINES of them. While a batch is prepared, answers with that one, whatever the minimum.
   * @param minimum micro-credits, from 1 on.
   * @throws FailureError `wrong-asset` where the money is test credits (rule 18).
   */
  prepare(minimum: MicroCredits): Promise<PreparedPayout>;

  /**
   * The batch was paid: its money has left. With the same reference again it changes nothing.
   * @param reference the payment's identity outside, at most 256 bytes.
   * @throws FailureError `not-found`, `replayed` when it was cancelled, or paid under another reference.
   */
  confirm(batch: Cid, reference: string): Promise<PayoutBatchRow>;

  /** The batch will not be paid: its money is available again. @throws FailureError `not-found`, `replayed` when it was paid. */
  cancel(batch: Cid): Promise<PayoutBatchRow>;

  /** Newest first. */
  batches(limit: number): readonly PayoutBatchRow[];
  /** In order of accounts. */
  lines(batch: Cid): readonly PayoutLine[];
  /** What an account was paid or will be, newest first. @param before number of a batch to continue below. */
  of(account: PeerId, before: number | undefined, limit: number): readonly PayoutView[];
}

export interface PreparedPayout {
  /** Absent when nobody is to be paid. */
  readonly batch?: PayoutBatchRow;
  /** False when it was prepared before. */
  readonly isNew: boolean;
  readonly gaps: PayoutGaps;
}
