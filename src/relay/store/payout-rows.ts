import type { PayoutAddressState } from "../../ledger/payout-address.ts";
import type { PayoutBatchState, PayoutLineState } from "../../ledger/payout-replay.ts";
import type { Cid } from "../../protocol/cid.ts";
import type { PeerId } from "../../protocol/peer-id.ts";

export type PayoutBatchRow = PayoutBatchState;
export type PayoutLineRow = PayoutLineState;

/** Money that the operator brought in, by what it calls the payment. */
export interface CreditRow {
  readonly reference: string;
  /** Its deposit or grant. */
  readonly index: number;
}

/** What one group commit writes about payouts. Rows replace those of the same key. */
export interface PayoutRows {
  readonly addresses: readonly PayoutAddressState[];
  readonly batches: readonly PayoutBatchRow[];
  readonly lines: readonly PayoutLineRow[];
  readonly credits: readonly CreditRow[];
}

/** How payouts stand at some point. */
export interface PayoutStanding {
  address(account: PeerId): PayoutAddressState | undefined;
  batch(id: Cid): PayoutBatchRow | undefined;
  /** The newest batch, whatever became of it. At most this one is neither paid nor cancelled. */
  newestBatch(): PayoutBatchRow | undefined;
  /** In order of accounts. */
  lines(batch: Cid): readonly PayoutLineRow[];
  /** Entry of the credit with this reference. */
  credit(reference: string): number | undefined;
}

/** Why accounts with money are not in a batch, counted. */
export interface PayoutGaps {
  /** Less than the minimum. */
  readonly tooLittle: number;
  readonly withoutAddress: number;
  /** The address was changed less than 72 hours ago. */
  readonly addressWaits: number;
  /** The operator denies the account. */
  readonly denied: number;
}

/** Where payouts live; see BooksStore. */
export interface PayoutStore extends PayoutStanding {
  /** Accounts that have `minimum` and an address that counts at `time`, and are not denied; in order, at most `limit`. */
  payable(minimum: bigint, time: number, limit: number): readonly PeerId[];
  gaps(minimum: bigint, time: number): PayoutGaps;
  /** Newest first. */
  batches(limit: number): readonly PayoutBatchRow[];
  /** Lines of an account with a batch numbered below `before`, newest first. */
  linesOf(account: PeerId, before: number, limit: number): readonly PayoutLineRow[];
  /** What an account was paid in all, and what is set aside for it, in micro-credits. */
  paidTo(account: PeerId): { readonly paid: bigint; readonly prepared: bigint };
  /** Everything, for the recomputation from entries. */
  everything(): PayoutRows;
}
