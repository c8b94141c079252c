import type { Cid } from "./cid.ts";
import {
  jsonAmount,
  jsonList,
  jsonRecord,
  type JsonShape,
  jsonText,
  jsonUint,
  optionalJson,
} from "./json-shape.ts";
import type { PeerId } from "./peer-id.ts";
import type { EarningsPoint, ReceiptView } from "./relay-api.ts";
import { earningsPointsJson, receiptViewJson } from "./relay-json.ts";
import type { MicroCredits } from "./units.ts";

/** What an account's earnings are looked through by: spans of time, what was computed, where, and how it stands. */

export const EARNINGS_SPANS = ["hour", "day", "month"] as const;
export type EarningsSpan = (typeof EARNINGS_SPANS)[number];

export const EARNINGS_SPLITS = ["function", "site"] as const;
export type EarningsSplit = (typeof EARNINGS_SPLITS)[number];

/** How the pay of one lease stands: not settled; kept back until its audits are over; the provider's own; taken back. */
export const PAY_STATES = ["pending", "held", "free", "lost"] as const;
export type PayState = (typeof PAY_STATES)[number];

/** Shares of one answer: the largest, and what all others come to. */
export const MAX_EARNINGS_SHARES = 8;

/** Receipts in one page of a history: 500 views of 450 bytes are half of the longest view that is read. */
export const MAX_HISTORY_PAGE = 500;

/** Longest text that is searched for: longer than any id. */
export const MAX_SEARCH_LENGTH = 64;

/** What one function, or one site, has brought. */
export interface EarningsShare {
  /** CID of the function or model, or id of the site; "" for all that are not among the largest. */
  readonly name: string;
  readonly amount: MicroCredits;
  readonly tasks: number;
  /** By spans of time, oldest first; those without earnings are left out. */
  readonly points: readonly EarningsPoint[];
}

/** Which receipts are wanted; all that is given must hold. */
export interface ReceiptFilter {
  readonly work?: Cid;
  readonly requester?: PeerId;
  readonly state?: PayState;
  /** Log times, milliseconds since 1970; `to` is the first moment that is too late. */
  readonly from?: number;
  readonly to?: number;
  /** A piece of the id of a lease, job, function or requester; digits alone are the number of an entry. */
  readonly text?: string;
}

export interface HistoryQuery extends ReceiptFilter {
  /** Entry index to continue below; absent: from the newest on. */
  readonly before?: number;
  /** Receipts to pass over first. Only without a filter. */
  readonly skip?: number;
  readonly limit: number;
}

/** A page of receipts, newest first. */
export interface HistoryPage {
  readonly receipts: readonly ReceiptView[];
  /**
   * Entry index to ask for what follows; absent at the end. A page may hold fewer receipts than were asked for, or none,
   * and still have this: a relay looks through so many at a time.
   */
  readonly next?: number;
  /** Receipts below `before` in all; told where nothing is filtered or passed over. */
  readonly total?: number;
}

export const earningsSharesJson: JsonShape<readonly EarningsShare[]> = jsonList(
  jsonRecord<EarningsShare>({
    name: jsonText(MAX_SEARCH_LENGTH),
    amount: jsonAmount,
    tasks: jsonUint(),
    points: earningsPointsJson,
  }),
  MAX_EARNINGS_SHARES + 1,
);

export const historyPageJson: JsonShape<HistoryPage> = jsonRecord<HistoryPage>({
  receipts: jsonList(receiptViewJson, MAX_HISTORY_PAGE),
  next: optionalJson(jsonUint()),
  total: optionalJson(jsonUint()),
});
