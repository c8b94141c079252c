import type { Cid } from "../protocol/cid.ts";
import type { Verified } from "../protocol/envelope.ts";
import { FailureError } from "../protocol/failure.ts";
import { header } from "../protocol/header.ts";
import type { Job, JobLimits, Work } from "../protocol/messages/job.ts";
import type { Lease } from "../protocol/messages/lease.ts";
import type { PeerId } from "../protocol/peer-id.ts";
import { priceOf, type Tariff, tariffCid } from "../protocol/tariff.ts";
import { type MicroCredits, microCredits } from "../protocol/units.ts";
import { leastDeadlineMs } from "./deadline.ts";
import {
  ASSUMED_FUEL_PER_SECOND,
  ASSUMED_MODEL_FUEL_PER_SECOND,
  DISPATCH_MS,
  FIRST_TASK_MS,
  HOLD_BYTES,
  LEAST_INFLIGHT_PER_THREAD,
  MOST_INFLIGHT,
  MOST_WINDOW,
  OPEN_MS,
  PIPELINE_MS,
  REPORT_GRACE_MS,
  WINDOW_BUDGET_SHARE,
} from "./limits.ts";
import type { Candidate } from "./match-job.ts";

/** Fuel that every provider may be expected to burn in a second on such work. */
export function assumedFuelPerSecond({ kind }: Pick<Work, "kind">): bigint {
  return kind === "model" ? ASSUMED_MODEL_FUEL_PER_SECOND : ASSUMED_FUEL_PER_SECOND;
}

/**
 * Rule 8: a task that runs out of time earns nothing, so nobody may ask for less time than its fuel takes.
 * @throws FailureError `deadline-too-short`.
 */
export function requireDeadline(limits: JobLimits, fuelPerSecond: bigint = ASSUMED_FUEL_PER_SECOND): void {
  const least = leastDeadlineMs(limits.fuel, fuelPerSecond);
  if (limits.deadlineMs < least)
    throw new FailureError(
      "deadline-too-short",
      `${limits.deadlineMs} ms, ${limits.fuel} fuel takes ${least} ms`,
    );
}

/**
 * Budget of each new lease out of what is free in the job. Where providers are missing, one share stays free for the
 * next one to come.
 * @param wanted leases the job asks for beyond those it has; at least `found`.
 */
export function shareOf(unbound: MicroCredits, found: number, wanted: number): MicroCredits {
  const shares = found + (wanted > found ? 1 : 0);
  return microCredits(shares === 0 ? 0n : unbound / BigInt(shares));
}

/** How many tasks may be under way at once, and how many outcomes unsigned. */
export interface Window {
  readonly inflightMax: number;
  readonly windowMax: number;
}

function atMost(value: bigint, most: number): number {
  return value < BigInt(most) ? Number(value) : most;
}

/**
 * Small tasks are pipelined deeply, large ones less. Beyond what keeps the threads busy, the window is bounded in money:
 * outcomes at the job's limits that take a quarter of the budget.
 * @param threads idle at the provider, at least 1. @param fuelPerSecond of one of them, measured where it was
 */
export function windowOf(
  limits: JobLimits,
  threads: number,
  tariff: Tariff,
  budget: MicroCredits,
  fuelPerSecond: bigint = ASSUMED_FUEL_PER_SECOND,
): Window {
  const eachMs = limits.fuel * 1_000n;
  const deep = eachMs === 0n ? BigInt(MOST_INFLIGHT) : (PIPELINE_MS * fuelPerSecond) / eachMs;
  const totals = { payable: 1, cancelled: 0, fuel: limits.fuel, bytes: 2n * BigInt(limits.output) };
  const price = priceOf(tariff, totals, microCredits(0));
  const risk = price === 0n ? BigInt(MOST_WINDOW) : budget / (WINDOW_BUDGET_SHARE * price);
  const least = Math.min(LEAST_INFLIGHT_PER_THREAD * threads, MOST_INFLIGHT);
  const wanted = atMost(BigInt(least) + BigInt(threads) * deep, MOST_INFLIGHT);
  const inflightMax = Math.max(least, Math.min(wanted, atMost(risk / 2n, MOST_INFLIGHT)));
  return { inflightMax, windowMax: Math.min(2 * inflightMax, MOST_WINDOW) };
}

/** What a lease is made of. */
export interface LeaseBasis {
  readonly job: Pick<Verified<Job>, "id" | "body">;
  /** The requester's key that signs advances: one of the job's signers that acts for the requester. */
  readonly requesterKey: PeerId;
  readonly candidate: Candidate;
  readonly replica: number;
  /** The requester is the relay's own gateway (rule 11). */
  readonly gateway: boolean;
  readonly budget: MicroCredits;
  readonly tariff: Tariff;
  readonly policy: Cid;
  /** Version of its numbers for audits; absent where nothing is audited. */
  readonly policyVersion?: number;
  /** Milliseconds since 1970. */
  readonly nowMs: number;
  readonly escrowIndex: number;
  /** A signed note that covers the escrow entry. */
  readonly checkpoint: string;
}

/** The first revision of a lease, to be signed by the relay. Dispatch ends with the job at the latest. */
export function leaseTerms(basis: LeaseBasis): Lease {
  const { job, candidate, tariff, budget, nowMs } = basis;
  const { offer, free, rates } = candidate;
  const { limits, work, expires, origin, asset } = job.body;
  const dispatchMs = Math.max(0, Math.min(DISPATCH_MS, expires - nowMs));
  return {
    ...header(origin, asset),
    job: job.id,
    rev: 0,
    provider: offer.provider,
    instance: offer.instance,
    requesterKey: basis.requesterKey,
    replica: basis.replica,
    gateway: basis.gateway,
    budget,
    tariff: tariffCid(tariff),
    profile: work.profile,
    policy: basis.policy,
    ...(basis.policyVersion === undefined ? {} : { policyVersion: basis.policyVersion }),
    ...windowOf(
      limits,
      Math.max(free, 1),
      tariff,
      budget,
      work.kind === "function" ? rates?.function : undefined,
    ),
    startFee: microCredits(tariff.perTask + tariff.perInstantiation),
    disputeDeposit: microCredits(0),
    holdBytes: HOLD_BYTES,
    issuedAt: nowMs,
    firstTaskMs: Math.min(FIRST_TASK_MS, dispatchMs),
    dispatchMs,
    reportMs: dispatchMs + limits.deadlineMs + REPORT_GRACE_MS,
    openMs: OPEN_MS,
    escrowIndex: basis.escrowIndex,
    checkpoint: basis.checkpoint,
  };
}
