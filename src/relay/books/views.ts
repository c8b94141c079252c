import { newProvider } from "../../ledger/ledger-state.ts";
import { toHex } from "../../protocol/bytes.ts";
import type { Cid } from "../../protocol/cid.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import type { AccountView, ApiKeyView, JobView, ReceiptView } from "../../protocol/relay-api.ts";
import { MAX_LISTED_API_KEYS } from "../../protocol/relay-json.ts";
import { microCredits } from "../../protocol/units.ts";
import type { ApiKeyStanding } from "../books.ts";
import type { BooksStore } from "../store/books-store.ts";
import { allowanceOf, isInForce, periodOf } from "./api-key-rules.ts";
import type { Committed } from "./committed.ts";
import { historyView } from "./history-views.ts";
import type { Losses } from "./losses.ts";
import type { ApiKeyState } from "./standing.ts";

const DAY_MS = 86_400_000;

export interface ViewParts {
  readonly asset: string;
  readonly store: BooksStore;
  readonly committed: Committed;
  readonly losses: Losses;
}

function startOf(time: number, span: number): number {
  return time - (time % span);
}

/** @param now milliseconds since 1970; the day is that of UTC. */
export function accountView(parts: ViewParts, peer: PeerId, now: number): AccountView {
  const { asset, store, committed, losses } = parts;
  const { available, pending, escrowed, earned } = committed.account(peer);
  const { held, bond } = committed.provider(peer) ?? newProvider(peer);
  const { paid, prepared } = store.payouts.paidTo(peer);
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
    slashed: losses.of(peer),
    paid: microCredits(paid),
    payingOut: microCredits(prepared),
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

/** Newest first. */
export function receiptViews(
  parts: ViewParts,
  peer: PeerId,
  before: number | undefined,
  limit: number,
): readonly ReceiptView[] {
  const below = before ?? Number.MAX_SAFE_INTEGER;
  const { rows } = parts.store.history.receipts({
    provider: peer,
    filter: {},
    before: below,
    skip: 0,
    limit,
    search: limit,
  });
  return rows.flatMap(historyView);
}
