import type { Cid } from "../cid.ts";
import type { MessageType } from "../envelope.ts";
import { type Header, headerFields } from "../header.ts";
import { MAX_ENVELOPE_BYTES, MAX_PROOF_HASHES } from "../limits.ts";
import { HASH_BYTES } from "../merkle.ts";
import type { PeerId } from "../peer-id.ts";
import {
  amount,
  bool,
  bytes,
  cid,
  exactBytes,
  fuelAmount,
  list,
  oneOf,
  optional,
  peer,
  record,
  type Schema,
  text,
  u64,
  uint,
} from "../schema.ts";
import type { Fuel, MicroCredits } from "../units.ts";

/**
 * Cumulative statement of a provider over all outcomes of a lease so far. Signed by the provider; the requester
 * countersigns by naming its CID in the next advance. Only the newest of a lease counts (rule 4).
 */
export interface Receipt extends Header {
  readonly job: Cid;
  readonly lease: Cid;
  readonly rev: number;
  /** 1, 2, 3, … within the lease. */
  readonly seq: number;
  /** The receipt before it. */
  readonly prev?: Cid;
  readonly provider: PeerId;
  readonly requester: PeerId;
  readonly workCid: Cid;
  readonly profile: number;
  readonly policy: Cid;
  /** As in the lease. */
  readonly policyVersion?: number;
  readonly tariff: Cid;
  /** How the tree is hashed. */
  readonly tree: "rfc6962-sha256";
  /** Root over the outcome leaves, in the order they ended. */
  readonly root: Uint8Array;
  readonly count: number;
  /** Tasks that have ended, where some outcome was a segment of a stream with more to come; else every outcome ended one. */
  readonly ended?: number;
  /** Tasks that pay by fuel. */
  readonly payable: number;
  /** Tasks that earn the start fee. */
  readonly cancelled: number;
  /** Outcomes that failed and pay all the same: traps and the like. Absent when there are none. */
  readonly failed?: number;
  /** Fuel of the dearest outcome that pays: audits weigh by it (rule 5). Absent when nothing pays. */
  readonly peak?: Fuel;
  /** Root of the task tree the provider worked by: the newest signed head it knew. */
  readonly tasksRoot: Uint8Array;
  readonly taskCount: number;
  readonly fuel: Fuel;
  /** Input and output bytes of outcomes that pay. */
  readonly bytes: bigint;
  /** priceOf(tariff, totals, startFee). */
  readonly amount: MicroCredits;
  /** No more outcomes will follow. */
  readonly final: boolean;
}

export const receiptMessage: MessageType<Receipt> = {
  name: "receipt",
  schema: record<Receipt>({
    ...headerFields,
    job: cid,
    lease: cid,
    rev: uint(65_535),
    seq: uint(),
    prev: optional(cid),
    provider: peer,
    requester: peer,
    workCid: cid,
    profile: uint(65_535),
    policy: cid,
    policyVersion: optional(uint(65_535)),
    tariff: cid,
    tree: oneOf(["rfc6962-sha256"]),
    root: exactBytes(HASH_BYTES),
    count: uint(),
    ended: optional(uint()),
    payable: uint(),
    cancelled: uint(),
    failed: optional(uint()),
    peak: optional(fuelAmount),
    tasksRoot: exactBytes(HASH_BYTES),
    taskCount: uint(),
    fuel: fuelAmount,
    bytes: u64,
    amount,
    final: bool,
  }),
};

/** Tasks that have ended by a receipt. */
export function endedTasks({ ended, count }: Pick<Receipt, "ended" | "count">): number {
  return ended ?? count;
}

/** Tasks of which a receipt pays or ends anything, at least: so many its requester must have named. */
export function countedTasks(receipt: Pick<Receipt, "ended" | "count" | "payable" | "cancelled">): number {
  return Math.max(endedTasks(receipt), receipt.payable + receipt.cancelled);
}

/** A Merkle proof, from the leaf up (RFC 6962). */
export const proofSchema: Schema<readonly Uint8Array[]> = list(exactBytes(HASH_BYTES), MAX_PROOF_HASHES);

/** What either side brings to the relay: a receipt with its countersignature. Signed by who reports it. */
export interface Report extends Header {
  /** Receipt envelope. */
  readonly receipt: Uint8Array;
  /** Advance envelope whose receiptCid is that receipt. */
  readonly advance: Uint8Array;
  /** Count of the receipt of this lease logged before; 0 when there is none. */
  readonly prevCount: number;
  /** Shows that the tree extends the one of prevCount. */
  readonly consistency: readonly Uint8Array[];
  /** Leaf indices whose inputs the provider no longer holds: unpaid, unpunished (rule 2). */
  readonly lost: readonly number[];
}

export const reportMessage: MessageType<Report> = {
  name: "report",
  schema: record<Report>({
    ...headerFields,
    receipt: bytes(8_192),
    advance: bytes(4_096),
    prevCount: uint(),
    consistency: proofSchema,
    lost: list(uint()),
  }),
};

/** Where an entry is in the relay's log, and the proof. */
export interface Inclusion {
  readonly index: number;
  /** Leaf hash of the entry. */
  readonly leaf: Uint8Array;
  readonly proof: readonly Uint8Array[];
  /** Signed note over a tree that holds it. */
  readonly checkpoint: string;
}

export const inclusionSchema: Schema<Inclusion> = record<Inclusion>({
  index: uint(),
  leaf: exactBytes(HASH_BYTES),
  proof: proofSchema,
  checkpoint: text(4_096),
});

/** The relay's answer to a report: logged, with proof; then the draw, fixed by the entry's place and hash. */
export interface ReportAnswer extends Inclusion {
  /** Bytes of the entry, so that its leaf hash can be checked. */
  readonly entry: Uint8Array;
  /** Draw envelope. Absent where nothing is drawn. */
  readonly draw?: Uint8Array;
}

export const reportAnswerSchema: Schema<ReportAnswer> = record<ReportAnswer>({
  index: uint(),
  leaf: exactBytes(HASH_BYTES),
  proof: proofSchema,
  checkpoint: text(4_096),
  entry: bytes(MAX_ENVELOPE_BYTES),
  draw: optional(bytes(MAX_ENVELOPE_BYTES)),
});
