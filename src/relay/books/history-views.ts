import {
  type EarningsShare,
  type EarningsSpan,
  type EarningsSplit,
  type HistoryPage,
  type HistoryQuery,
  MAX_EARNINGS_SHARES,
} from "../../protocol/earnings-json.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import type { EarningsPoint, ReceiptView } from "../../protocol/relay-api.ts";
import { microCredits } from "../../protocol/units.ts";
import type { AccountHistory } from "../account-history.ts";
import { MAX_SEARCHED_RECEIPTS } from "../limits.ts";
import type { EarnedShare, EarnedSpan, HistoryRow, HistoryStore } from "../store/history-rows.ts";

const DAY_MS = 86_400_000;

/** The start of the span of time that a moment is in, by UTC. */
function startOf(span: EarningsSpan, time: number): number {
  if (span === "hour") return time - (time % (DAY_MS / 24));
  if (span === "day") return time - (time % DAY_MS);
  const date = new Date(time);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth());
}

function pointOf({ start, amount, tasks }: EarnedSpan): EarningsPoint {
  return { start, amount: microCredits(amount), tasks };
}

function shareOf(name: string, spans: readonly EarnedSpan[]): EarningsShare {
  const byStart = new Map<number, EarnedSpan>();
  for (const span of spans) {
    const before = byStart.get(span.start) ?? { amount: 0n, tasks: 0 };
    byStart.set(span.start, {
      start: span.start,
      amount: before.amount + span.amount,
      tasks: before.tasks + span.tasks,
    });
  }
  const points = [...byStart.values()].toSorted((a, b) => a.start - b.start).map(pointOf);
  return {
    name,
    amount: microCredits(points.reduce((sum, { amount }) => sum + amount, 0n)),
    tasks: points.reduce((sum, { tasks }) => sum + tasks, 0),
    points,
  };
}

/** The largest first; all that are not among them together as the last, without a name. */
function earningsShares(rows: readonly EarnedShare[]): readonly EarningsShare[] {
  const all = [...Map.groupBy(rows, ({ name }) => name)]
    .map(([name, spans]) => shareOf(name, spans))
    .toSorted((a, b) => (a.amount < b.amount ? 1 : a.amount > b.amount ? -1 : 0));
  const others = all.slice(MAX_EARNINGS_SHARES).flatMap(({ points }) => points);
  return [...all.slice(0, MAX_EARNINGS_SHARES), ...(others.length === 0 ? [] : [shareOf("", others)])];
}

/** A receipt as it is listed. */
export function historyView(row: HistoryRow): readonly ReceiptView[] {
  const { newest, id, job, state, work, requester, held, forfeited } = row;
  if (newest === undefined) return [];
  const { index, time, count, payable, fuel, amount, final } = newest;
  return [
    {
      entryIndex: index,
      time,
      lease: id,
      job,
      workCid: work,
      requester,
      count,
      payable,
      fuel,
      amount,
      final,
      settled: state === "settled",
      ...(held === 0n ? {} : { held }),
      ...(forfeited === 0n ? {} : { forfeited }),
    },
  ];
}

function isFiltered({ before: _before, skip: _skip, limit: _limit, ...filter }: HistoryQuery): boolean {
  return Object.values(filter).some((value) => value !== undefined);
}

/** A page of receipts, newest first. With a filter so many are looked through at a time, and the page says how to go on. */
function historyPage(history: HistoryStore, provider: PeerId, query: HistoryQuery): HistoryPage {
  const { before = Number.MAX_SAFE_INTEGER, skip = 0, limit, ...filter } = query;
  const filtered = isFiltered(query);
  const { rows, next } = history.receipts({
    provider,
    filter,
    before,
    skip,
    limit,
    search: filtered ? MAX_SEARCHED_RECEIPTS : limit,
  });
  return {
    receipts: rows.flatMap(historyView),
    ...(next === undefined ? {} : { next }),
    ...(filtered || skip > 0 ? {} : { total: history.count(provider, before) }),
  };
}

export class LedgerHistory implements AccountHistory {
  readonly #history: HistoryStore;

  constructor(history: HistoryStore) {
    this.#history = history;
  }

  page(peer: PeerId, query: HistoryQuery): HistoryPage {
    return historyPage(this.#history, peer, query);
  }

  earnings(peer: PeerId, span: EarningsSpan, fromMs: number): readonly EarningsPoint[] {
    return this.#history.sums(peer, span, startOf(span, fromMs)).map(pointOf);
  }

  shares(peer: PeerId, split: EarningsSplit, span: EarningsSpan, fromMs: number): readonly EarningsShare[] {
    return earningsShares(this.#history.shares(peer, split, span, startOf(span, fromMs)));
  }
}
