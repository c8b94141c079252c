import { newProvider } from "../../ledger/ledger-state.ts";
import { toHex } from "../../protocol/bytes.ts";
import type { Cid } from "../../protocol/cid.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import type {
  AccountView,
  ApiKeyView,
  EarningsPoint,
  JobView,
  ReceiptView,
} from "../../protocol/relay-api.ts";
import { MAX_LISTED_API_KEYS } from "../../protocol/relay-json.ts";
import { microCredits } from "../../protocol/units.ts";
import type { ApiKeyStanding } from "../books.ts";
import type { BooksStore, LeaseRow } from "../store/books-store.ts";
import { allowanceOf, isInForce, periodOf } from "./api-key-rules.ts";
import type { Committed } from "./committed.ts";
import type { ApiKeyState } from "./standing.ts";

const DAY_MS = 86_400_000;

export interface ViewParts {
  readonly asset: string;
  readonly store: BooksStore;
  readonly committed: Committed;
}

function startOf(time: number, span: number): number {
  return time - (time % span);
}

/** @param now milliseconds since 1970; the day is that of UTC. */
export function accountView({ asset, store, committed }: ViewParts, peer: PeerId, now: number): AccountView {
  const { available, pending, escrowed, earned } = committed.account(peer);
  const { held, bond } = committed.provider(peer) ?? newProvider(peer);
  const today = store.earnings(peer, startOf(now, DAY_MS));
  const earnedToday = microCredits(today.reduce((sum, { amount }) => sum + amount, 0n));
  return {
    peer,
    asset,
    available,
    escrowed,
    pending,
    held,
    bond,
    earned,
    earnedToday,
    logSize: committed.size,
  };
}

/** @param now log time, milliseconds since 1970. */
export function apiKeyStanding(
  { committed }: ViewParts,
  hash: Uint8Array,
  now: number,
): ApiKeyStanding | undefined {
  const key = committed.apiKeyOfHash(toHex(hash));
  if (key === undefined) return undefined;
  const state = isInForce(key, now) ? "in-force" : key.revoked === undefined ? "expired" : "revoked";
  const left = allowanceOf(key, committed.spending(key.id, periodOf(key.terms, now)));
  return { id: key.id, terms: key.terms, state, left };
}

function apiKeyView({ committed }: ViewParts, key: ApiKeyState, now: number): ApiKeyView {
  const { label, cap, per, expires } = key.terms;
  return {
    apiKey: key.id,
    label,
    cap,
    per,
    used: microCredits(committed.spending(key.id, periodOf(key.terms, now))),
    created: key.created,
    ...(expires === undefined ? {} : { expires }),
    ...(key.revoked === undefined ? {} : { revoked: key.revoked }),
  };
}

/** The newest ones. @param now log time, milliseconds since 1970. */
export function apiKeyViews(parts: ViewParts, account: PeerId, now: number): readonly ApiKeyView[] {
  const keys = parts.committed.apiKeysOf(account).slice(-MAX_LISTED_API_KEYS).toReversed();
  return keys.map((key) => apiKeyView(parts, key, now));
}

export function jobView({ store, committed }: ViewParts, id: Cid): JobView | undefined {
  const job = committed.job(id);
  if (job === undefined) return undefined;
  const { state, spent, refunded, terms } = job;
  const leases = store.leasesOf(id).map(({ id: lease, state: stage, newest, ...row }) => ({
    lease,
    provider: row.provider,
    state: stage,
    count: newest?.count ?? 0,
    amount: newest?.amount ?? microCredits(0),
    drawn: row.drawn,
    judged: row.judged,
    forfeited: row.forfeited,
  }));
  return { job: id, state, cap: terms.cap, spent, refunded, leases };
}

function receiptView({ committed }: ViewParts, row: LeaseRow): ReceiptView[] {
  const { newest, id, job, state } = row;
  const terms = committed.job(job)?.terms;
  if (newest === undefined || terms === undefined) return [];
  const { index, time, count, payable, fuel, amount, final } = newest;
  return [
    {
      entryIndex: index,
      time,
      lease: id,
      job,
      workCid: terms.work.cid,
      requester: terms.requester,
      count,
      payable,
      fuel,
      amount,
      final,
      settled: state === "settled",
    },
  ];
}

/** Newest first. */
export function receiptViews(
  parts: ViewParts,
  peer: PeerId,
  before: number | undefined,
  limit: number,
): readonly ReceiptView[] {
  const rows = parts.store.receiptsOf(peer, before ?? Number.MAX_SAFE_INTEGER, limit);
  return rows.flatMap((row) => receiptView(parts, row));
}

/** Oldest first; spans without earnings are left out. */
export function earningsPoints(
  { store }: ViewParts,
  peer: PeerId,
  bucket: "hour" | "day",
  fromMs: number,
): readonly EarningsPoint[] {
  const span = bucket === "hour" ? DAY_MS / 24 : DAY_MS;
  const points = new Map<number, EarningsPoint>();
  for (const { hour, amount, tasks } of store.earnings(peer, startOf(Math.max(fromMs, 0), span))) {
    const start = startOf(hour, span);
    const before = points.get(start);
    points.set(start, {
      start,
      amount: microCredits((before?.amount ?? 0n) + amount),
      tasks: (before?.tasks ?? 0) + tasks,
    });
  }
  return [...points.values()];
}
