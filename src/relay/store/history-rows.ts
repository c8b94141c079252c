import type { Cid } from "../../protocol/cid.ts";
import type { EarningsSpan, EarningsSplit, ReceiptFilter } from "../../protocol/earnings-json.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import type { LeaseRow } from "./books-store.ts";

/** What came in during one span of time. */
export interface EarnedSpan {
  /** Start of the span, milliseconds since 1970, in UTC. */
  readonly start: number;
  readonly amount: bigint;
  readonly tasks: number;
}

/** The same, of one function or one site. */
export interface EarnedShare extends EarnedSpan {
  readonly name: string;
}

/** What an identity earned in one hour with one function, or by one site. */
export interface ShareRow {
  readonly peer: PeerId;
  readonly split: EarningsSplit;
  /** CID of the function, or id of the site. */
  readonly name: string;
  /** Start of the hour by log time, milliseconds since 1970. */
  readonly hour: number;
  readonly amount: bigint;
  readonly tasks: number;
}

/** A lease with a receipt, and what its job says. */
export interface HistoryRow extends LeaseRow {
  readonly requester: PeerId;
  readonly work: Cid;
}

export interface HistoryQuestion {
  readonly provider: PeerId;
  readonly filter: ReceiptFilter;
  /** Receipts with an entry below this one, */
  readonly before: number;
  /** past so many of them, */
  readonly skip: number;
  /** so many at most, */
  readonly limit: number;
  /** of the next so many. */
  readonly search: number;
}

export interface HistoryAnswer {
  /** Newest first. */
  readonly rows: readonly HistoryRow[];
  /** Entry of the last receipt that was looked at; absent where there are no more. */
  readonly next?: number;
}

/** What an account earned, by time, function and site, and the receipts it earned with; see BooksStore. */
export interface HistoryStore {
  /** Oldest first; spans without earnings are left out. */
  sums(peer: PeerId, span: EarningsSpan, from: number): readonly EarnedSpan[];
  /** Oldest first. What was earned before this was written down is in no share. */
  shares(peer: PeerId, split: EarningsSplit, span: EarningsSpan, from: number): readonly EarnedShare[];
  receipts(question: HistoryQuestion): HistoryAnswer;
  /** Leases of a provider that have a receipt with an entry below `before`. */
  count(provider: PeerId, before: number): number;
}
