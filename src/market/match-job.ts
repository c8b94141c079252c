import { grantsEffects } from "../protocol/messages/effect.ts";
import type { Job, Work } from "../protocol/messages/job.ts";
import type { Offer } from "../protocol/messages/session.ts";
import type { PeerId } from "../protocol/peer-id.ts";
import { isWithinTariff, priceOf, type Tariff } from "../protocol/tariff.ts";
import { microCredits } from "../protocol/units.ts";
import { leastDeadlineMs } from "./deadline.ts";
import { compareBy, lot, type Qualities } from "./preference.ts";

/** Why a provider does not fit, in the order of asking: the first that holds is counted. */
export const REFUSALS = [
  "denied",
  "at work on it",
  "gave it back",
  "retiring",
  "not asked for",
  "too close to another step",
  "too close to another replica",
  "asks more",
  "lacks the profile",
  "lacks the interface",
  "does not allow the effect",
  "too little memory",
  "too slow",
  "unreachable",
  "busy",
] as const;
export type Refusal = (typeof REFUSALS)[number];

/** A provider that is connected. */
export interface Candidate {
  /** The newest of its instance. */
  readonly offer: Offer;
  /** Threads idle now, less leases that it may not have seen yet. */
  readonly free: number;
  /** What was measured of it. */
  readonly rates?: Rates;
}

/** Fuel that one thread burns in a second, of functions, and of models; absent where it was not measured. */
export type Rates = { readonly [K in Work["kind"]]?: bigint };

export interface MatchRules {
  /** What the lease will pay. */
  readonly tariff: Tariff;
  /** Providers wanted at most. */
  readonly wanted: number;
  /** Session keys that hold an open lease of the job. */
  readonly holders?: ReadonlySet<PeerId>;
  /** Providers whose lease of the job was given back. */
  readonly returned?: ReadonlySet<PeerId>;
  /** Whether a provider has asked for its bond: it gets work again when that is paid out. */
  readonly retiring?: (provider: PeerId) => boolean;
  /** Of a job whose results are compared: who may not compute beside whom. */
  readonly replicas?: ReplicaRules;
  /** Whether an identity, root or session, gets no work. */
  readonly denied?: (identity: PeerId) => boolean;
  /** Whether two identities may have one owner; by default each is its own. */
  readonly sameOwner?: (a: PeerId, b: PeerId) => boolean;
  /** What checked work a provider has behind it, micro-credits; for jobs that prefer reputation. */
  readonly experience?: (provider: PeerId) => bigint;
  /** How far an instance is from the relay, ms; for jobs that prefer the nearest. */
  readonly distanceMs?: (instance: PeerId) => number | undefined;
  /** What nobody could choose when the job was made; for jobs that leave it to the lot. */
  readonly seed?: Uint8Array;
}

/** One owner has one voice: it holds one lease at a time, and under one identity for all of the job. */
export interface ReplicaRules {
  /** Providers that hold an open lease of the job now. */
  readonly open: ReadonlySet<PeerId>;
  /** Providers that hold or held a lease under which something was answered. */
  readonly voters: ReadonlySet<PeerId>;
  /** Whether two identities may have one owner; see owner-groups.ts. */
  readonly sameOwner: (a: PeerId, b: PeerId) => boolean;
}

function isTooClose({ open, voters, sameOwner }: ReplicaRules, provider: PeerId): boolean {
  if (open.has(provider)) return true;
  for (const other of [...open, ...voters]) if (other !== provider && sameOwner(other, provider)) return true;
  return false;
}

export interface Match<C extends Candidate> {
  /** At most as many as wanted, best first. */
  readonly matches: readonly C[];
  /** Candidates that were refused, by reason; only reasons that occurred. */
  readonly reasons: ReadonlyMap<Refusal, number>;
}

/** Rule 8: by what was measured a task that uses its fuel would miss its deadline, and who ran it would get nothing. */
function isTooSlow(rates: Rates | undefined, { limits, work }: Job): boolean {
  const rate = rates?.[work.kind];
  return rate !== undefined && limits.deadlineMs < leastDeadlineMs(limits.fuel, rate);
}

function isOneOwner({ sameOwner }: MatchRules, a: PeerId, b: PeerId): boolean {
  return a === b || sameOwner?.(a, b) === true;
}

function refusalOf({ offer, free, rates }: Candidate, job: Job, rules: MatchRules): Refusal | undefined {
  const { provider, instance } = offer;
  if (rules.denied?.(provider) === true || rules.denied?.(instance) === true) return "denied";
  if (rules.holders?.has(instance) === true) return "at work on it";
  if (rules.returned?.has(provider) === true) return "gave it back";
  if (rules.retiring?.(provider) === true) return "retiring";
  if (job.only?.includes(provider) === false) return "not asked for";
  if (job.apartFrom?.some((other) => isOneOwner(rules, other, provider)) === true)
    return "too close to another step";
  if (rules.replicas !== undefined && isTooClose(rules.replicas, provider))
    return "too close to another replica";
  if (!isWithinTariff(offer.tariffMin, rules.tariff)) return "asks more";
  if (!offer.profiles.includes(job.work.profile)) return "lacks the profile";
  if (!offer.abis.includes(job.work.abi)) return "lacks the interface";
  if (!grantsEffects(offer.effects ?? [], job.work.effects)) return "does not allow the effect";
  if (offer.memoryBytes < job.limits.memory) return "too little memory";
  if (isTooSlow(rates, job)) return "too slow";
  if (offer.addresses.length === 0) return "unreachable";
  return free > 0 ? undefined : "busy";
}

/** What one task at the job's limits costs at the least that the provider works for. */
function askedPrice({ tariffMin }: Offer, { limits }: Job): bigint {
  const totals = { payable: 1, cancelled: 0, fuel: limits.fuel, bytes: BigInt(limits.output) };
  return priceOf(tariffMin, totals, microCredits(0));
}

interface Ranked<C> extends Qualities {
  readonly candidate: C;
  /** It has the job's model already: others would have to fetch hundreds of megabytes first. */
  readonly holds: boolean;
  readonly lot: number;
}

function qualities({ offer }: Candidate, job: Job, rules: MatchRules): Qualities {
  const { instance, provider } = offer;
  const distanceMs = rules.distanceMs?.(instance);
  return {
    instance,
    price: askedPrice(offer, job),
    experience: rules.experience?.(provider) ?? 0n,
    ...(distanceMs === undefined ? {} : { distanceMs }),
  };
}

/** Least asked first, then who holds the model, then most free threads, then the lot. */
function compare(a: Ranked<Candidate>, b: Ranked<Candidate>): number {
  if (a.price !== b.price) return a.price < b.price ? -1 : 1;
  if (a.holds !== b.holds) return a.holds ? -1 : 1;
  return b.candidate.free - a.candidate.free || a.lot - b.lot;
}

/**
 * Finds providers for a job: of those that fit, the ones that it prefers; then those that ask least, then those that hold the model already, then those with
 * most free threads.
 */
export function matchJob<C extends Candidate>(
  job: Job,
  candidates: readonly C[],
  rules: MatchRules,
): Match<C> {
  const reasons = new Map<Refusal, number>();
  const fit: Ranked<C>[] = [];
  for (const candidate of candidates) {
    const { offer } = candidate;
    const refusal = refusalOf(candidate, job, rules);
    if (refusal === undefined)
      fit.push({
        candidate,
        ...qualities(candidate, job, rules),
        holds: offer.models?.includes(job.work.cid) === true,
        lot: lot(job.nonce, offer.instance),
      });
    else reasons.set(refusal, (reasons.get(refusal) ?? 0) + 1);
  }
  const preferred = compareBy(job.prefer ?? "price", rules.seed ?? job.nonce);
  const ranked = fit.toSorted((a, b) => preferred(a, b) || compare(a, b)).map(({ candidate }) => candidate);
  if (rules.replicas === undefined) return { matches: ranked.slice(0, rules.wanted), reasons };
  const { chosen, passed } = oneOfEachOwner(ranked, rules.wanted, rules.replicas);
  if (passed > 0) {
    const reason = "too close to another replica";
    reasons.set(reason, (reasons.get(reason) ?? 0) + passed);
  }
  return { matches: chosen, reasons };
}

/** The best of each owner. */
function oneOfEachOwner<C extends Candidate>(
  ranked: readonly C[],
  wanted: number,
  { sameOwner }: ReplicaRules,
): { readonly chosen: readonly C[]; readonly passed: number } {
  const chosen: C[] = [];
  let passed = 0;
  for (const candidate of ranked) {
    if (chosen.length === wanted) break;
    if (chosen.some(({ offer }) => sameOwner(offer.provider, candidate.offer.provider))) passed += 1;
    else chosen.push(candidate);
  }
  return { chosen, passed };
}

/** The reasons for people, as the detail of `no-provider`: "3 providers: 2 busy, 1 asks more". */
export function describeReasons(reasons: ReadonlyMap<Refusal, number>): string {
  const total = [...reasons.values()].reduce((sum, count) => sum + count, 0);
  if (total === 0) return "no provider is connected";
  const listed = REFUSALS.filter((reason) => reasons.has(reason)).map(
    (reason) => `${reasons.get(reason)} ${reason}`,
  );
  return `${total} ${total === 1 ? "provider" : "providers"}: ${listed.join(", ")}`;
}
