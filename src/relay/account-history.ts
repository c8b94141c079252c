import type {
  EarningsShare,
  EarningsSpan,
  EarningsSplit,
  HistoryPage,
  HistoryQuery,
} from "../protocol/earnings-json.ts";
import type { PeerId } from "../protocol/peer-id.ts";
import type { EarningsPoint } from "../protocol/relay-api.ts";

/** What accounts have earned, by time and by what it was earned with; part of the books. Answers from what is committed. */
export interface AccountHistory {
  /** Receipts looked through by what is asked for, newest first. */
  page(peer: PeerId, query: HistoryQuery): HistoryPage;
  /** Oldest first; spans of time (by UTC) without earnings are left out. */
  earnings(peer: PeerId, span: EarningsSpan, fromMs: number): readonly EarningsPoint[];
  /** The same by function or site, the largest share first, all that are not among the largest as the last. */
  shares(peer: PeerId, split: EarningsSplit, span: EarningsSpan, fromMs: number): readonly EarningsShare[];
}
