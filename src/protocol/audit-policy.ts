import { amount, record, type Schema, uint } from "./schema.ts";
import { type MicroCredits, microCredits } from "./units.ts";

/** One, in parts per million. Rates are whole numbers of them, so that every machine draws alike. */
export const PPM = 1_000_000;

const ppm: Schema<number> = uint(PPM);

/** A loss of a hundred times the gain: beyond that nearly everything would be recomputed. */
const MOST_LOSS_PPM: number = 100 * PPM;

/**
 * How strictly results are checked and pay is held back: all of it in one place. The operator may change each number; a
 * policy entry of the log states what holds from there on, and leases and receipts name its version and document.
 * Where the numbers come from: docs/decisions/0022-audits.md.
 */
export interface AuditPolicy {
  /** Counts up with every change. */
  readonly version: number;
  /** Outcomes that are all recomputed before a provider has any experience, counted at the value at stake. */
  readonly firstTasks: number;
  /** An outcome is drawn at least this often, whoever computed it. */
  readonly floorPpm: number;
  /** After the first tasks the rate is `rateNumerator / (1 + min(n, rateTasks))`, n in tasks of the value at stake. */
  readonly rateNumerator: number;
  readonly rateTasks: number;
  /** What a false outcome costs on average, at least, of what it is worth (rule 5). */
  readonly lossPpm: number;
  /** Least rate where some outcome of a report failed in a way that is paid (rule 8). */
  readonly failedPpm: number;
  /** Rate of the second draw, by the secret that the requester reveals when its job ends (rule 3). */
  readonly requesterPpm: number;
  /** Most of a provider's experience that may come from one payer (rule 5). */
  readonly payerPpm: number;
  /** The bond: so many times what the provider's dearest outcome was paid. Its first earnings. */
  readonly bondTasks: number;
  /** Settled pay that is always held back, in dearest outcomes: the last tasks. */
  readonly holdTasks: number;
  /** Settled pay is held back at least this long, by log time. */
  readonly holdMs: number;
  /** Micro-credits of each lease that are burnt: what it costs to farm experience or to block providers (rules 5, 17). */
  readonly leaseFee: MicroCredits;
  /** A verdict follows so long after the time to open at the latest. */
  readonly verdictMs: number;
  /** A session of secrets: entries of the log, and the longest time that one may take. */
  readonly epochEntries: number;
  readonly epochMs: number;
  /** Who recomputes what was drawn: the rest of these two goes to the relay itself. */
  readonly peerPpm: number;
  readonly knownPpm: number;
  /** One in so many tasks of an auditor is one whose outcome is known to be false. */
  readonly auditorCheckTasks: number;
  /** Of providers without any record so many are taken to be dishonest, in replicas' credibility. */
  readonly faultPpm: number;
  /** A replicated result is accepted when it is wrong less often than this. */
  readonly acceptPpm: number;
  /** Replicas of one task at most; then the relay recomputes. */
  readonly maxReplicas: number;
}

export const auditPolicySchema: Schema<AuditPolicy> = record<AuditPolicy>({
  version: uint(65_535),
  firstTasks: uint(65_535),
  floorPpm: ppm,
  rateNumerator: uint(65_535),
  rateTasks: uint(65_535),
  lossPpm: uint(MOST_LOSS_PPM),
  failedPpm: ppm,
  requesterPpm: ppm,
  payerPpm: ppm,
  bondTasks: uint(65_535),
  holdTasks: uint(65_535),
  holdMs: uint(),
  leaseFee: amount,
  verdictMs: uint(),
  epochEntries: uint(),
  epochMs: uint(),
  peerPpm: ppm,
  knownPpm: ppm,
  auditorCheckTasks: uint(65_535),
  faultPpm: ppm,
  acceptPpm: ppm,
  maxReplicas: uint(64),
});

/** What a relay holds to unless its operator says otherwise. */
export const DEFAULT_AUDIT_POLICY: AuditPolicy = {
  version: 1,
  firstTasks: 10,
  floorPpm: 50_000,
  rateNumerator: 2,
  rateTasks: 50,
  lossPpm: 1_500_000,
  failedPpm: 250_000,
  requesterPpm: 7_500,
  payerPpm: 200_000,
  bondTasks: 30,
  holdTasks: 50,
  holdMs: 24 * 60 * 60 * 1000,
  leaseFee: microCredits(1),
  verdictMs: 60 * 60 * 1000,
  epochEntries: 10_000,
  epochMs: 60 * 60 * 1000,
  peerPpm: 250_000,
  knownPpm: 250_000,
  auditorCheckTasks: 50,
  faultPpm: 50_000,
  acceptPpm: 1_000,
  maxReplicas: 5,
};
