import type { Cid } from "../cid.ts";
import type { MessageType } from "../envelope.ts";
import { type Header, headerFields } from "../header.ts";
import { MAX_ENVELOPE_BYTES } from "../limits.ts";
import type { PeerId } from "../peer-id.ts";
import {
  amount,
  bool,
  bytes,
  cid,
  list,
  optional,
  peer,
  record,
  type Schema,
  text,
  uint,
} from "../schema.ts";
import { type Tariff, tariffSchema } from "../tariff.ts";
import type { MicroCredits } from "../units.ts";

/**
 * The relay's signed statement: this instance of this provider may work on this job at this price, up to this budget,
 * until then. Durations count from arrival, by the holder's monotonic clock (rule 19).
 */
export interface Lease extends Header {
  readonly job: Cid;
  /** 0, then one more with each top-up, which names the one before. */
  readonly rev: number;
  readonly prev?: Cid;
  readonly provider: PeerId;
  /** Session key that may work under it; never another (rule 12). */
  readonly instance: PeerId;
  /** Key that signs advances: the job's signing key. */
  readonly requesterKey: PeerId;
  /** Which of the job's leases this is, from 0. */
  readonly replica: number;
  /** The relay's own gateway is the requester (rule 11). */
  readonly gateway: boolean;
  readonly budget: MicroCredits;
  /** CID of the tariff. */
  readonly tariff: Cid;
  readonly profile: number;
  /** CID of the policy document. */
  readonly policy: Cid;
  /** Version of the policy's numbers for audits; absent where nothing is audited. */
  readonly policyVersion?: number;
  /** Tasks beyond the signed head, and outcomes beyond the countersigned receipt, that the provider risks. */
  readonly windowMax: number;
  /** Tasks sent and not yet answered. */
  readonly inflightMax: number;
  /** Paid for a task cancelled after it had started. */
  readonly startFee: MicroCredits;
  readonly disputeDeposit: MicroCredits;
  /** Input bytes the provider keeps before it must report. */
  readonly holdBytes: number;
  readonly issuedAt: number;
  /** Void without a first task by then. */
  readonly firstTaskMs: number;
  /** No new tasks after that. */
  readonly dispatchMs: number;
  /** Settled with what was reported by then. */
  readonly reportMs: number;
  /** Drawn leaves are opened by then after the draw. */
  readonly openMs: number;
  /** Entry of the job's escrow; the provider checks its inclusion before it starts (rule 9). */
  readonly escrowIndex: number;
  /** A checkpoint that covers the escrow entry. */
  readonly checkpoint: string;
}

export const leaseMessage: MessageType<Lease> = {
  name: "lease",
  schema: record<Lease>({
    ...headerFields,
    job: cid,
    rev: uint(65_535),
    prev: optional(cid),
    provider: peer,
    instance: peer,
    requesterKey: peer,
    replica: uint(65_535),
    gateway: bool,
    budget: amount,
    tariff: cid,
    profile: uint(65_535),
    policy: cid,
    policyVersion: optional(uint(65_535)),
    windowMax: uint(65_535),
    inflightMax: uint(65_535),
    startFee: amount,
    disputeDeposit: amount,
    holdBytes: uint(),
    issuedAt: uint(),
    firstTaskMs: uint(),
    dispatchMs: uint(),
    reportMs: uint(),
    openMs: uint(),
    escrowIndex: uint(),
    checkpoint: text(4_096),
  }),
};

/** The provider takes a lease. From here on a drop can count against it (rule 17). */
export interface Accept extends Header {
  readonly lease: Cid;
}

export const acceptMessage: MessageType<Accept> = {
  name: "accept",
  schema: record<Accept>({ ...headerFields, lease: cid }),
};

/** One lease as the relay hands it to the requester: with what is needed to use it. */
export interface LeaseGrant {
  /** Lease envelope. */
  readonly lease: Uint8Array;
  readonly tariff: Tariff;
  /** Addresses of the provider, multiaddr text. */
  readonly addresses: readonly string[];
}

/** The relay's answer to a job. Fewer leases than asked for is no failure; none at all is `no-provider`. */
export interface LeaseAnswer {
  readonly job: Cid;
  readonly leases: readonly LeaseGrant[];
  /** Micro-credits of the payer after the escrow. */
  readonly available: MicroCredits;
}

export const leaseAnswerSchema: Schema<LeaseAnswer> = record<LeaseAnswer>({
  job: cid,
  leases: list(
    record<LeaseGrant>({
      lease: bytes(MAX_ENVELOPE_BYTES),
      tariff: tariffSchema,
      addresses: list(text(512), 16),
    }),
    1_024,
  ),
  available: amount,
});
