import type { Verified } from "../../protocol/envelope.ts";
import { header } from "../../protocol/header.ts";
import type { Cid } from "../../protocol/cid.ts";
import type { Job } from "../../protocol/messages/job.ts";
import type { Lease } from "../../protocol/messages/lease.ts";
import type { Offer } from "../../protocol/messages/session.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import { type Tariff, tariffCid } from "../../protocol/tariff.ts";
import { type MicroCredits, microCredits } from "../../protocol/units.ts";
import {
  LEASE_DISPATCH_MS,
  LEASE_FIRST_TASK_MS,
  LEASE_HOLD_BYTES,
  LEASE_INFLIGHT_TASKS,
  LEASE_OPEN_MS,
  LEASE_REPORT_GRACE_MS,
  LEASE_WINDOW_TASKS,
} from "../limits.ts";

/** What a lease follows from. */
export interface LeaseBasis {
  readonly job: Verified<Job>;
  /** The requester's key that signs advances: the first of the job's signers that acts for the requester. */
  readonly requesterKey: PeerId;
  readonly offer: Offer;
  readonly replica: number;
  readonly budget: MicroCredits;
  readonly tariff: Tariff;
  readonly policy: Cid;
  readonly escrowIndex: number;
  /** A signed note that covers the escrow's entry. */
  readonly checkpoint: string;
  /** Milliseconds since 1970. */
  readonly nowMs: number;
}

/** A lease's terms. Dispatch ends with the job at the latest; its durations count from arrival. */
export function leaseTerms(basis: LeaseBasis): Lease {
  const { job, offer, tariff, nowMs } = basis;
  const dispatchMs = Math.max(0, Math.min(LEASE_DISPATCH_MS, job.body.expires - nowMs));
  return {
    ...header(job.body.origin, job.body.asset),
    job: job.id,
    rev: 0,
    provider: offer.provider,
    instance: offer.instance,
    requesterKey: basis.requesterKey,
    replica: basis.replica,
    gateway: false,
    budget: basis.budget,
    tariff: tariffCid(tariff),
    profile: job.body.work.profile,
    policy: basis.policy,
    windowMax: LEASE_WINDOW_TASKS,
    inflightMax: LEASE_INFLIGHT_TASKS,
    startFee: tariff.perTask,
    disputeDeposit: microCredits(0),
    holdBytes: LEASE_HOLD_BYTES,
    issuedAt: nowMs,
    firstTaskMs: Math.min(LEASE_FIRST_TASK_MS, dispatchMs),
    dispatchMs,
    reportMs: dispatchMs + LEASE_REPORT_GRACE_MS,
    openMs: LEASE_OPEN_MS,
    escrowIndex: basis.escrowIndex,
    checkpoint: basis.checkpoint,
  };
}

/**
 * Budgets of new leases: what is free of the cap, in equal parts for all that are still wanted, so that one that comes
 * later finds its part. What a lease does not use comes back when it settles.
 * @param wanted leases the job lacks, at least 1.
 */
export function budgetOf(unbound: MicroCredits, wanted: number): MicroCredits {
  return microCredits(unbound / BigInt(wanted));
}
