import type { Cid } from "../cid.ts";
import type { MessageType } from "../envelope.ts";
import { type Header, headerFields } from "../header.ts";
import { MAX_DRAW_LEAVES, MAX_PROOF_HASHES, MAX_REFEREE_LEAVES } from "../limits.ts";
import { HASH_BYTES } from "../merkle.ts";
import type { PeerId } from "../peer-id.ts";
import {
  amount,
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
  uint,
} from "../schema.ts";
import type { Fuel, MicroCredits } from "../units.ts";

const hash: Schema<Uint8Array> = exactBytes(HASH_BYTES);
const path: Schema<readonly Uint8Array[]> = list(hash, MAX_PROOF_HASHES);

/**
 * Which leaves of an entry are to be opened. Derived from the entry's place and hash under a secret committed before
 * (rule 3): seed = HMAC(s_e, tag ‖ origin ‖ entryIndex ‖ entryHash); leaf i is drawn iff u64(HMAC(seed, i)) < p_i · 2^64.
 */
export interface Draw extends Header {
  /** The receipt's or dispute's entry, and its lease. */
  readonly lease: Cid;
  readonly entryIndex: number;
  readonly entryHash: Uint8Array;
  readonly epoch: number;
  readonly source: "relay" | "requester";
  readonly policy: Cid;
  /** Audited experience of the provider in micro-credits, before this entry; of a requester's draw, when it is made (rule 5). */
  readonly n: MicroCredits;
  /** What the provider would lose: its bond, and what this lease earned before this entry. */
  readonly bond: MicroCredits;
  /** What one outcome of this entry is worth at most. */
  readonly value: MicroCredits;
  /** Leaves [first, end) are new in this entry. */
  readonly first: number;
  readonly end: number;
  readonly leaves: readonly number[];
  /** Log time in milliseconds since 1970. */
  readonly openBy: number;
  readonly verdictBy: number;
}

export const drawMessage: MessageType<Draw> = {
  name: "draw",
  schema: record<Draw>({
    ...headerFields,
    lease: cid,
    entryIndex: uint(),
    entryHash: hash,
    epoch: uint(),
    source: oneOf(["relay", "requester"]),
    policy: cid,
    n: amount,
    bond: amount,
    value: amount,
    first: uint(),
    end: uint(),
    leaves: list(uint(), MAX_DRAW_LEAVES),
    openBy: uint(),
    verdictBy: uint(),
  }),
};

/** A drawn leaf laid open: the outcome, the task it answers, both with their paths, and the input or where it is. */
export interface Opening extends Header {
  readonly entryIndex: number;
  readonly index: number;
  readonly leaf: Uint8Array;
  readonly path: readonly Uint8Array[];
  readonly task: Uint8Array;
  readonly taskPath: readonly Uint8Array[];
  /** Advance envelope that names the task. */
  readonly advance: Uint8Array;
  /** Input bytes when small and public; else `sealed` names them, encrypted to the auditor (rule 14). */
  readonly input?: Uint8Array;
  readonly sealed?: Cid;
  readonly effects?: Cid;
}

export const openingMessage: MessageType<Opening> = {
  name: "opening",
  schema: record<Opening>({
    ...headerFields,
    entryIndex: uint(),
    index: uint(),
    leaf: bytes(2_048),
    path,
    task: bytes(2_048),
    taskPath: path,
    advance: bytes(4_096),
    input: optional(bytes(32_768)),
    sealed: optional(cid),
    effects: optional(cid),
  }),
};

export const VERDICT_RESULTS = ["match", "mismatch", "missing", "inconclusive"] as const;
export type VerdictResult = (typeof VERDICT_RESULTS)[number];

/** What an audit found, with evidence anybody can replay (rule 11). */
export interface Verdict extends Header {
  readonly lease: Cid;
  readonly entryIndex: number;
  readonly index: number;
  /** Missing: nobody opened it in time. Inconclusive: it cannot be recomputed here, which is nobody's fault. */
  readonly result: VerdictResult;
  /** Leaf hash of the outcome that recomputing gives, and of the one that was claimed; zeros where there is none. */
  readonly expected: Uint8Array;
  readonly found: Uint8Array;
  readonly fuel: Fuel;
  readonly profile: number;
  /** WASM engine or shader compiler that recomputed it. */
  readonly engine: string;
  /** Who recomputed it; the relay by its draw key. */
  readonly auditors: readonly PeerId[];
  /** Blob with the opening, so that anybody can recompute it; absent where nothing was opened. */
  readonly evidenceCid?: Cid;
}

export const verdictMessage: MessageType<Verdict> = {
  name: "verdict",
  schema: record<Verdict>({
    ...headerFields,
    lease: cid,
    entryIndex: uint(),
    index: uint(),
    result: oneOf(VERDICT_RESULTS),
    expected: hash,
    found: hash,
    fuel: fuelAmount,
    profile: uint(65_535),
    engine: text(128),
    auditors: list(peer, 16),
    evidenceCid: optional(cid),
  }),
};

/**
 * A provider brings a receipt that its requester does not countersign. The advance names the tasks; every outcome beyond
 * the newest logged receipt is then opened and recomputed, and what holds is paid (rule 6). Signed by the instance.
 */
export interface Dispute extends Header {
  readonly lease: Cid;
  /** Receipt envelope, signed by the provider alone. */
  readonly receipt: Uint8Array;
  /** Advance envelope that names at least as many tasks as the receipt has outcomes of. */
  readonly advance: Uint8Array;
  readonly prevCount: number;
  readonly consistency: readonly Uint8Array[];
}

export const disputeMessage: MessageType<Dispute> = {
  name: "dispute",
  schema: record<Dispute>({
    ...headerFields,
    lease: cid,
    receipt: bytes(8_192),
    advance: bytes(4_096),
    prevCount: uint(),
    consistency: path,
  }),
};

/** The requester lays its share of the draw open when its job is over: SHA-256 of `secret` is the job's drawCommit (rule 3). */
export interface Reveal extends Header {
  readonly job: Cid;
  readonly secret: Uint8Array;
}

export const revealMessage: MessageType<Reveal> = {
  name: "reveal",
  schema: record<Reveal>({ ...headerFields, job: cid, secret: exactBytes(32) }),
};

/**
 * Replicas disagree: the requester of a job with `verify.k` above 1 asks for outcomes under a logged receipt to be recomputed.
 * They are drawn with the source "requester", and the requester opens them itself. Safe to repeat, to ask for the verdicts.
 */
export interface Referee extends Header {
  readonly lease: Cid;
  /** Entry of a receipt of that lease. */
  readonly entryIndex: number;
  /** Below its count. */
  readonly leaves: readonly number[];
}

export const refereeMessage: MessageType<Referee> = {
  name: "referee",
  schema: record<Referee>({
    ...headerFields,
    lease: cid,
    entryIndex: uint(),
    leaves: list(uint(), MAX_REFEREE_LEAVES),
  }),
};

/** How far the recomputation of one outcome has come. */
export interface RefereedLeaf {
  readonly leaf: number;
  /** Entry of its verdict; absent while there is none. */
  readonly verdict?: number;
}

/** Answer to a referee message. */
export interface RefereeAnswer {
  readonly lease: Cid;
  readonly entryIndex: number;
  readonly leaves: readonly RefereedLeaf[];
}

export const refereeAnswerSchema: Schema<RefereeAnswer> = record<RefereeAnswer>({
  lease: cid,
  entryIndex: uint(),
  leaves: list(record<RefereedLeaf>({ leaf: uint(), verdict: optional(uint()) }), MAX_REFEREE_LEAVES),
});

/** A provider stops for good, or for long: what is held back and its bond become free, and it begins anew. Signed by the root. */
export interface Retire extends Header {
  readonly account: PeerId;
}

export const retireMessage: MessageType<Retire> = {
  name: "retire",
  schema: record<Retire>({ ...headerFields, account: peer }),
};
