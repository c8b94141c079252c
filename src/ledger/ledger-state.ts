import type { AuditPolicy } from "../protocol/audit-policy.ts";
import type { Cid } from "../protocol/cid.ts";
import type { Job } from "../protocol/messages/job.ts";
import type { Lease } from "../protocol/messages/lease.ts";
import type { PeerId } from "../protocol/peer-id.ts";
import type { Tariff } from "../protocol/tariff.ts";
import { type Fuel, type MicroCredits, microCredits } from "../protocol/units.ts";

/** A job as the log has it. */
export interface JobState {
  readonly id: Cid;
  /** Entry that set its cap aside. */
  readonly escrowIndex: number;
  readonly terms: Job;
  /** Keys that signed it; its leases take advances from one of them. */
  readonly signers: readonly PeerId[];
  /** Closing: its money goes back as it becomes free, and no lease is added. Closed: nothing is left in it. */
  readonly state: "open" | "closing" | "closed";
  /** Balance of its escrow account. */
  readonly unbound: MicroCredits;
  /** Earned by providers, settled or not. */
  readonly spent: MicroCredits;
  /** Given back to the payer. */
  readonly refunded: MicroCredits;
  /** Leases that are not settled. */
  readonly openLeases: number;
}

/** What counts of the newest logged receipt of a lease. */
export interface LoggedReceipt {
  readonly id: Cid;
  /** Its entry, and the log time of that. */
  readonly index: number;
  readonly time: number;
  readonly seq: number;
  readonly count: number;
  readonly payable: number;
  readonly cancelled: number;
  readonly failed: number;
  readonly peak: Fuel;
  readonly fuel: Fuel;
  readonly bytes: bigint;
  readonly amount: MicroCredits;
  /** Root over its outcomes. */
  readonly root: Uint8Array;
  /** The tasks named by the advance that countersigned it. */
  readonly taskCount: number;
  readonly tasksRoot: Uint8Array;
  readonly final: boolean;
}

/** A lease as the log has it. */
export interface LeaseState {
  /** CID of its first revision; the same for all. */
  readonly id: Cid;
  /** Entry of its first revision. */
  readonly index: number;
  readonly job: Cid;
  /** CID of the newest revision; the next one names it. */
  readonly revision: Cid;
  /** Entry of the newest revision. */
  readonly termsIndex: number;
  /** The newest revision. */
  readonly terms: Lease;
  /** Returning: given back or closed with tasks unanswered; one window stays reserved until `reportBy`. */
  readonly state: "open" | "returning" | "settled";
  /** Balance of its account: what a receipt may still claim beyond the newest one. */
  readonly bound: MicroCredits;
  /** Log time up to which reports count, milliseconds since 1970. */
  readonly reportBy: number;
  readonly newest?: LoggedReceipt;
  /** What its receipts earned the provider: their amount, less what was declared lost. */
  readonly earned: MicroCredits;
  /** Of that, settled and kept back. */
  readonly held: MicroCredits;
  /** Of that, taken back because an audit failed: its outcomes count for nothing. */
  readonly forfeited: MicroCredits;
  /** Log time of its settlement, milliseconds since 1970. */
  readonly settledAt?: number;
  /** Outcomes drawn so far, and those of them with a verdict. */
  readonly drawn: number;
  readonly judged: number;
}

/** What the log says of somebody who computes. */
export interface ProviderState {
  readonly peer: PeerId;
  /** Balances: earned and not settled, settled and kept back, first earnings. */
  readonly pending: MicroCredits;
  readonly held: MicroCredits;
  readonly bond: MicroCredits;
  /** What its dearest outcome was worth; see stake.ts. */
  readonly peak: MicroCredits;
  /** Value reported since its record began anew, and what of it counts as experience (rule 5). */
  readonly audited: MicroCredits;
  readonly experience: MicroCredits;
  /** How often its record began anew. */
  readonly era: number;
  /** Leases that are not settled. */
  readonly openLeases: number;
  /** Verdicts so far. */
  readonly matched: number;
  readonly mismatched: number;
  readonly missing: number;
  /** Log time at which it asked for its bond, milliseconds since 1970. */
  readonly retiring?: number;
}

/** Someone who has not computed anything yet. */
export function newProvider(peer: PeerId): ProviderState {
  const nothing = microCredits(0);
  return {
    peer,
    pending: nothing,
    held: nothing,
    bond: nothing,
    peak: nothing,
    audited: nothing,
    experience: nothing,
    era: 0,
    openLeases: 0,
    matched: 0,
    mismatched: 0,
    missing: 0,
  };
}

/** What of a provider's experience came from jobs that one account paid, in one era of its record. */
export interface ExperienceShare {
  readonly provider: PeerId;
  readonly era: number;
  readonly payer: PeerId;
  readonly counted: MicroCredits;
}

/** What is known before an entry. */
export interface LedgerLookup {
  job(id: Cid): JobState | undefined;
  lease(id: Cid): LeaseState | undefined;
  /** A tariff that a policy entry announced. */
  tariff(id: Cid): Tariff | undefined;
  /** The numbers for audits of a policy that a policy entry announced; absent where it audits nothing. */
  audit(policy: Cid, version: number): AuditPolicy | undefined;
  /** Absent before its first lease. */
  provider(peer: PeerId): ProviderState | undefined;
  /** Experience of a provider from one payer, in its present era. */
  experience(provider: ProviderState, payer: PeerId): MicroCredits;
}
