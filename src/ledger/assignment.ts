import { PPM } from "../protocol/audit-policy.ts";
import type { Cid } from "../protocol/cid.ts";
import type { Assign, TransferBody } from "../protocol/messages/assign.ts";
import type { PeerId } from "../protocol/peer-id.ts";
import type { SiteId } from "../protocol/site.ts";
import { type MicroCredits, microCredits, U64_MAX } from "../protocol/units.ts";
import type { Posting } from "./account.ts";
import type { Place } from "./change.ts";
import type { LedgerEvent } from "./ledger-event.ts";
import type { LeaseState, ProviderState } from "./ledger-state.ts";

const DAY_MS = 86_400_000;

/** Who gets a part of an account's earnings, as the log has it. */
export interface AssignmentState {
  readonly account: PeerId;
  /** CID of the assign message. */
  readonly id: Cid;
  /** Its entry, and the log time of that, milliseconds since 1970. */
  readonly index: number;
  readonly since: number;
  /** By the account's clock. */
  readonly at: number;
  readonly payee: PeerId;
  readonly ppm: number;
  readonly site?: SiteId;
  readonly retireAfterMs?: number;
  /** Log time since which it has not worked while money is kept of it; absent where nothing is. */
  readonly idleSince?: number;
  /** Earnings that became available since, and what of them went to the payee. */
  readonly earned: MicroCredits;
  readonly passed: MicroCredits;
}

/** What the tabs of a site's visitors did in one day, UTC. */
export interface SiteDayState {
  readonly site: SiteId;
  /** Start of the day by log time, milliseconds since 1970. */
  readonly start: number;
  /** Accounts with a receipt that day. */
  readonly tabs: number;
  readonly tasks: number;
  /** At most U64_MAX, however much is claimed. */
  readonly fuel: bigint;
  /** Reported that day, micro-credits. */
  readonly earned: MicroCredits;
  /** Became available that day: went to the owner, stayed with the visitors. */
  readonly toOwner: MicroCredits;
  readonly toVisitors: MicroCredits;
}

/** An account that is counted among the tabs of a site's day. */
export interface SiteTab {
  readonly site: SiteId;
  readonly start: number;
  readonly account: PeerId;
}

/** A transfer as the log has it. */
export interface TransferState extends TransferBody {
  readonly index: number;
  /** Log time, milliseconds since 1970. */
  readonly time: number;
  readonly site?: SiteId;
}

/** What is known before an event. */
export interface AssignmentLookup {
  assignment(account: PeerId): AssignmentState | undefined;
  siteDay(site: SiteId, start: number): SiteDayState | undefined;
  hasTab(tab: SiteTab): boolean;
}

/** How things stand around an event that somebody's work led to. */
export interface Work {
  readonly worker: PeerId;
  /** The lease before and after, where it changes. */
  readonly before?: LeaseState | undefined;
  readonly after?: LeaseState | undefined;
  /** The worker's record after it. */
  readonly provider?: ProviderState | undefined;
  readonly postings: readonly Posting[];
}

/** Whose work an event is about, where assignments look at it. @param lease as it stands after the event. */
export function workerOf(event: LedgerEvent, lease: LeaseState | undefined): PeerId | undefined {
  if (event.type === "lease" || event.type === "receipt") return lease?.terms.provider;
  const isOfWork =
    event.type === "settle" || event.type === "vest" || event.type === "unbond" || event.type === "forfeit";
  return isOfWork ? event.body.provider : undefined;
}

/** Whether something is kept of a provider that only retiring gives it. */
export function isKept(provider: ProviderState | undefined): boolean {
  return provider !== undefined && provider.held + provider.bond > 0n;
}

/** What an event makes available to its worker by its own work, micro-credits. */
export function creditOf(event: LedgerEvent, { worker, postings }: Work): bigint {
  if (event.type !== "settle" && event.type !== "vest" && event.type !== "unbond") return 0n;
  let sum = 0n;
  for (const { account, amount } of postings)
    if (account.kind === "available" && account.peer === worker && amount > 0n) sum += amount;
  return sum;
}

/** A new assignment. @param provider the account's record. */
export function assigned(
  { id, body }: { readonly id: Cid; readonly body: Assign },
  { index, time }: Place,
  provider: ProviderState | undefined,
): AssignmentState {
  const { account, at, payee, ppm, site, retireAfterMs } = body;
  return {
    account,
    id,
    index,
    since: time,
    at,
    payee,
    ppm,
    ...(site === undefined ? {} : { site }),
    ...(retireAfterMs === undefined ? {} : { retireAfterMs }),
    ...(isKept(provider) ? { idleSince: time } : {}),
    earned: microCredits(0),
    passed: microCredits(0),
  };
}

/** The assignment after earnings became available, and what of them is due to the payee: rounded down once, over all of them. */
export function dividedBy(
  state: AssignmentState,
  credit: bigint,
): { readonly state: AssignmentState; readonly due: MicroCredits } {
  const earned = state.earned + credit;
  const passed = (earned * BigInt(state.ppm)) / BigInt(PPM);
  return {
    state: { ...state, earned: microCredits(earned), passed: microCredits(passed) },
    due: microCredits(passed - state.passed),
  };
}

/** Since when an account is idle, after an event: it begins to count when work ends, and no more when nothing is kept. */
export function idleAfter(
  state: AssignmentState,
  event: LedgerEvent,
  time: number,
  provider: ProviderState | undefined,
): AssignmentState {
  const { idleSince, ...rest } = state;
  if (event.type === "lease" || event.type === "retire" || !isKept(provider)) return rest;
  const since = event.type === "settle" ? time : idleSince;
  return since === undefined ? rest : { ...rest, idleSince: since };
}

/** Whether an account has not worked for as long as its assignment says. */
export function mayRetireIdle(
  { idleSince, retireAfterMs }: AssignmentState,
  provider: ProviderState | undefined,
  time: number,
): boolean {
  return (
    retireAfterMs !== undefined &&
    idleSince !== undefined &&
    time >= idleSince + retireAfterMs &&
    isKept(provider) &&
    provider?.retiring === undefined &&
    provider?.openLeases === 0
  );
}

export function startOfDay(time: number): number {
  return time - (time % DAY_MS);
}

function emptyDay(site: SiteId, start: number): SiteDayState {
  const nothing = microCredits(0);
  return {
    site,
    start,
    tabs: 0,
    tasks: 0,
    fuel: 0n,
    earned: nothing,
    toOwner: nothing,
    toVisitors: nothing,
  };
}

function capped(fuel: bigint): bigint {
  return fuel > U64_MAX ? U64_MAX : fuel;
}

/** The day after a receipt of one of its tabs. */
export function reportedDay(
  day: SiteDayState | undefined,
  { site, start }: SiteTab,
  isNew: boolean,
  { before, after }: Work,
): SiteDayState {
  const known = day ?? emptyDay(site, start);
  const newest = after?.newest;
  return {
    ...known,
    tabs: known.tabs + (isNew ? 1 : 0),
    tasks: known.tasks + (newest?.payable ?? 0) - (before?.newest?.payable ?? 0),
    fuel: capped(known.fuel + (newest?.fuel ?? 0n) - (before?.newest?.fuel ?? 0n)),
    earned: microCredits(known.earned + (after?.earned ?? 0n) - (before?.earned ?? 0n)),
  };
}

/** The day after earnings of one of its tabs became available. */
export function dividedDay(
  day: SiteDayState | undefined,
  site: SiteId,
  start: number,
  credit: bigint,
  due: bigint,
): SiteDayState {
  const known = day ?? emptyDay(site, start);
  return {
    ...known,
    toOwner: microCredits(known.toOwner + due),
    toVisitors: microCredits(known.toVisitors + credit - due),
  };
}
