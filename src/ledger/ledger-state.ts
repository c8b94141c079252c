import type { Cid } from "../protocol/cid.ts";
import type { Job } from "../protocol/messages/job.ts";
import type { Lease } from "../protocol/messages/lease.ts";
import type { PeerId } from "../protocol/peer-id.ts";
import type { Tariff } from "../protocol/tariff.ts";
import type { Fuel, MicroCredits } from "../protocol/units.ts";

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
}

/** What is known before an entry. */
export interface LedgerLookup {
  job(id: Cid): JobState | undefined;
  lease(id: Cid): LeaseState | undefined;
  /** A tariff that a policy entry announced. */
  tariff(id: Cid): Tariff | undefined;
}
