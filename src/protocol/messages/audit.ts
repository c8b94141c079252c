import type { Cid } from "../cid.ts";
import type { MessageType } from "../envelope.ts";
import { type Header, headerFields } from "../header.ts";
import { MAX_PROOF_HASHES } from "../limits.ts";
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
  readonly entryIndex: number;
  readonly entryHash: Uint8Array;
  readonly epoch: number;
  readonly source: "relay" | "requester";
  readonly policy: Cid;
  /** Audited experience of the provider in micro-credits, as of this entry (rule 5). */
  readonly n: MicroCredits;
  /** Bond and held pay of the provider, as of this entry. */
  readonly bond: MicroCredits;
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
    entryIndex: uint(),
    entryHash: hash,
    epoch: uint(),
    source: oneOf(["relay", "requester"]),
    policy: cid,
    n: amount,
    bond: amount,
    first: uint(),
    end: uint(),
    leaves: list(uint()),
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

/** One movement of money: what leaves `from` arrives at `to`. */
export interface Movement {
  readonly from: string;
  readonly to: string;
  readonly amount: MicroCredits;
}

export const movementSchema: Schema<Movement> = record<Movement>({ from: text(160), to: text(160), amount });

/** What an audit found, with evidence anybody can replay (rule 11). */
export interface Verdict extends Header {
  readonly entryIndex: number;
  readonly index: number;
  readonly result: "match" | "mismatch" | "missing" | "inconclusive";
  readonly expected: Uint8Array;
  readonly found: Uint8Array;
  readonly fuel: Fuel;
  readonly profile: number;
  /** WASM engine or shader compiler that recomputed it. */
  readonly engine: string;
  readonly auditors: readonly PeerId[];
  readonly evidenceCid: Cid;
  readonly postings: readonly Movement[];
  readonly appealBy: number;
}

export const verdictMessage: MessageType<Verdict> = {
  name: "verdict",
  schema: record<Verdict>({
    ...headerFields,
    entryIndex: uint(),
    index: uint(),
    result: oneOf(["match", "mismatch", "missing", "inconclusive"]),
    expected: hash,
    found: hash,
    fuel: fuelAmount,
    profile: uint(65_535),
    engine: text(128),
    auditors: list(peer, 16),
    evidenceCid: cid,
    postings: list(movementSchema, 16),
    appealBy: uint(),
  }),
};
