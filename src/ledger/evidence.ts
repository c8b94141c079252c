import { equalBytes } from "../protocol/bytes.ts";
import { type Checkpoint, parseCheckpoint, readCheckpoint } from "../protocol/checkpoint.ts";
import { type MessageType, openEnvelope, verified, type Verified } from "../protocol/envelope.ts";
import { FailureError } from "../protocol/failure.ts";
import { MAX_PROOF_HASHES } from "../protocol/limits.ts";
import { HASH_BYTES, verifyConsistency } from "../protocol/merkle.ts";
import { decodeEntryOf } from "../protocol/messages/entry.ts";
import { type Receipt, receiptMessage } from "../protocol/messages/receipt.ts";
import { type Advance, advanceMessage } from "../protocol/messages/task.ts";
import { keyFromPeerId, type PeerId } from "../protocol/peer-id.ts";
import { rotationHolds } from "../protocol/rotation.ts";
import {
  bytes,
  decode,
  encode,
  exactBytes,
  list,
  oneOf,
  optional,
  peer,
  record,
  type Schema,
  text,
} from "../protocol/schema.ts";
import type { Verify } from "../protocol/signature.ts";
import { decodeUtf8, encodeUtf8 } from "../protocol/text.ts";
import { isContradiction } from "./receipt-rules.ts";

/**
 * Two signed statements that contradict each other, as a file that convicts whoever made them before anybody, offline:
 * checkpoints of a relay, receipts of a provider, advances of a requester. It needs nothing but the key they are signed by.
 */
export interface Evidence {
  readonly v: 1;
  readonly kind: EvidenceKind;
  /** The relay that the statements are about. */
  readonly origin: string;
  /** Two notes in UTF-8, or two envelopes. */
  readonly statements: readonly Uint8Array[];
  /** Of checkpoints: the log key in force, and the key-rotate entries that lead to it from those before. */
  readonly logKey?: PeerId;
  readonly rotations: readonly Uint8Array[];
  /**
   * Where one statement is about more than the other: the root that the larger tree has at the size of the smaller one, and the
   * proof. It is another root than the smaller statement says.
   */
  readonly prefix?: Prefix;
}

export interface Prefix {
  readonly root: Uint8Array;
  readonly proof: readonly Uint8Array[];
}

const EVIDENCE_KINDS = ["checkpoints", "receipts", "advances"] as const;
export type EvidenceKind = (typeof EVIDENCE_KINDS)[number];

/** Two envelopes of at most 8 KiB or notes of 4, rotations of 300 bytes each, and a proof of 2 KiB. */
export const MAX_EVIDENCE_BYTES: number = 64 * 1024;
const MAX_STATEMENT_BYTES = 8_192;
const MAX_ROTATIONS = 64;
const MAX_ROTATION_BYTES = 512;

const evidenceSchema: Schema<Evidence> = record<Evidence>({
  v: {
    write: (out, value) => out.head(0, value),
    read: (from) => (from.uint(255) === 1 ? 1 : from.fail("is of another version", "unsupported")),
  },
  kind: oneOf(EVIDENCE_KINDS),
  origin: text(128),
  statements: list(bytes(MAX_STATEMENT_BYTES), 2),
  logKey: optional(peer),
  rotations: list(bytes(MAX_ROTATION_BYTES), MAX_ROTATIONS),
  prefix: optional(
    record<Prefix>({ root: exactBytes(HASH_BYTES), proof: list(exactBytes(HASH_BYTES), MAX_PROOF_HASHES) }),
  ),
});

/** What is known of a log when two of its notes contradict each other. */
export interface CheckpointConflict {
  readonly origin: string;
  readonly notes: readonly [string, string];
  /** The log key in force. */
  readonly logKey: PeerId;
  /** key-rotate entries that were followed to it, oldest first. */
  readonly rotations: readonly Uint8Array[];
  readonly prefix?: Prefix;
}

/** The file. */
export function checkpointEvidence({ notes, ...conflict }: CheckpointConflict): Uint8Array<ArrayBuffer> {
  return encode(evidenceSchema, {
    v: 1,
    kind: "checkpoints",
    ...conflict,
    rotations: conflict.rotations.slice(-MAX_ROTATIONS),
    statements: notes.map(encodeUtf8),
  });
}

/** The file. @param statements receipt or advance envelopes of one lease */
export function leaseEvidence(
  kind: Exclude<EvidenceKind, "checkpoints">,
  origin: string,
  statements: readonly [Uint8Array, Uint8Array],
  prefix?: Prefix,
): Uint8Array<ArrayBuffer> {
  return encode(evidenceSchema, {
    v: 1,
    kind,
    origin,
    statements,
    rotations: [],
    ...(prefix === undefined ? {} : { prefix }),
  });
}

/** @throws FailureError `malformed` when the bytes are no evidence. */
export function readEvidence(data: Uint8Array): Evidence {
  return decode(evidenceSchema, data, MAX_EVIDENCE_BYTES);
}

/**
 * What evidence proves. `convicts`: whoever holds `key` signed two statements that cannot both be true. `open`: both are
 * signed, and whether they contradict each other shows only in the log or the lists they are about. `nothing`: they agree, or
 * a signature does not hold.
 */
export interface Judgement {
  readonly verdict: "convicts" | "open" | "nothing";
  readonly kind: EvidenceKind;
  readonly origin: string;
  readonly accused: "relay" | "provider" | "requester";
  /** Who signed both; absent where that does not hold. */
  readonly key?: PeerId;
  /** For whom that key acts, by the statements' own words. */
  readonly identity?: PeerId;
  /** One sentence: what was found. */
  readonly detail: string;
}

const ACCUSED = { checkpoints: "relay", receipts: "provider", advances: "requester" } as const;

type Finding = Pick<Judgement, "verdict" | "detail" | "key" | "identity">;

/** Judges by the file alone. Never throws for what is in it. */
export async function judgeEvidence(evidence: Evidence, verify: Verify): Promise<Judgement> {
  const { kind, origin } = evidence;
  return { kind, origin, accused: ACCUSED[kind], ...(await find(evidence, verify)) };
}

async function find(evidence: Evidence, verify: Verify): Promise<Finding> {
  const [first, second] = evidence.statements;
  if (first === undefined || second === undefined) return nothing("it does not hold two statements");
  try {
    switch (evidence.kind) {
      case "checkpoints":
        return await judgeCheckpoints(evidence, [decodeUtf8(first), decodeUtf8(second)], verify);
      case "receipts":
        return judgeReceipts(evidence, await pair(receiptMessage, [first, second], verify));
      case "advances":
        return judgeAdvances(evidence, await pair(advanceMessage, [first, second], verify));
      default:
        return evidence.kind satisfies never;
    }
  } catch (error) {
    if (error instanceof FailureError) return nothing(error.detail);
    throw error;
  }
}

function nothing(detail: string): Finding {
  return { verdict: "nothing", detail };
}

/** A statement about a tree that only grows: its size and root. */
interface Size {
  readonly size: number;
  readonly root: Uint8Array;
}

/** Whether two sizes of one tree contradict each other; undefined where that does not show. */
function contradicts(a: Size, b: Size, prefix: Prefix | undefined): boolean | undefined {
  const [small, large] = a.size <= b.size ? [a, b] : [b, a];
  if (small.size === large.size) return !equalBytes(small.root, large.root);
  if (prefix === undefined || small.size === 0) return undefined;
  if (!verifyConsistency(small.size, large.size, prefix.root, large.root, prefix.proof)) return undefined;
  return !equalBytes(prefix.root, small.root);
}

/** In words, of two trees of some kind. */
function sizesFinding(a: Size, b: Size, prefix: Prefix | undefined, what: string): Omit<Finding, "key"> {
  const found = contradicts(a, b, prefix);
  const sizes =
    a.size === b.size ? `${a.size}` : `${Math.min(a.size, b.size)} and ${Math.max(a.size, b.size)}`;
  if (found === undefined)
    return {
      verdict: "open",
      detail: `both are signed, for ${sizes} ${what}; that one does not extend the other is not shown`,
    };
  if (!found) return nothing(`both agree about ${sizes} ${what}`);
  return {
    verdict: "convicts",
    detail:
      a.size === b.size
        ? `two roots are signed for the same ${sizes} ${what}`
        : `the first ${Math.min(a.size, b.size)} of ${Math.max(a.size, b.size)} ${what} are others than the ones signed before`,
  };
}

/** All keys of a log that its rotations lead through, newest first. @throws FailureError when one was not signed by the one before */
async function logKeys({ origin, logKey, rotations }: Evidence, verify: Verify): Promise<readonly PeerId[]> {
  if (logKey === undefined) throw new FailureError("malformed", "it does not name the log's key");
  const keys = [logKey];
  for (const entry of rotations.toReversed()) {
    const { body } = decodeEntryOf("key-rotate", entry);
    if (body.purpose !== "log" || body.next !== keys.at(-1)) continue;
    // oxlint-disable-next-line no-await-in-loop -- few, one behind the other
    if (!(await rotationHolds(origin, body, verify)))
      throw new FailureError(
        "bad-signature",
        "a rotation of the log's key is not signed by the key it replaces",
      );
    keys.push(body.previous);
  }
  return keys;
}

async function signedNote(
  note: string,
  origin: string,
  keys: readonly PeerId[],
  verify: Verify,
): Promise<Checkpoint> {
  for (const key of keys) {
    // oxlint-disable-next-line no-await-in-loop -- few
    if (await isSignedBy(note, origin, key, verify)) return readCheckpoint(note, origin);
  }
  throw new FailureError("bad-signature", "a checkpoint is not signed by the log's key");
}

async function isSignedBy(note: string, origin: string, key: PeerId, verify: Verify): Promise<boolean> {
  try {
    const { claim } = parseCheckpoint(note, origin, keyFromPeerId(key));
    return await verify(claim.key, claim.message, claim.signature);
  } catch (error) {
    if (error instanceof FailureError) return false;
    throw error;
  }
}

async function judgeCheckpoints(
  evidence: Evidence,
  [first, second]: readonly [string, string],
  verify: Verify,
): Promise<Finding> {
  const keys = await logKeys(evidence, verify);
  const a = await signedNote(first, evidence.origin, keys, verify);
  const b = await signedNote(second, evidence.origin, keys, verify);
  const finding = sizesFinding(a, b, evidence.prefix, "entries");
  return finding.verdict === "nothing" || keys[0] === undefined ? finding : { ...finding, key: keys[0] };
}

interface Pair<T> {
  readonly key: PeerId;
  readonly messages: readonly [Verified<T>, Verified<T>];
}

/** Two messages, each signed by the same one key. */
async function pair<T extends { readonly origin: string }>(
  type: MessageType<T>,
  envelopes: readonly [Uint8Array, Uint8Array],
  verify: Verify,
): Promise<Pair<T>> {
  const [a, b] = [
    await verified(openEnvelope(type, envelopes[0]), verify),
    await verified(openEnvelope(type, envelopes[1]), verify),
  ];
  const [signer] = a.signedBy;
  if (
    signer === undefined ||
    a.signedBy.length > 1 ||
    b.signedBy.length > 1 ||
    b.signedBy[0]?.key !== signer.key
  )
    throw new FailureError("bad-signature", "the two are not signed by one key");
  return { key: signer.key, messages: [a, b] };
}

function requireOneLease(
  origin: string,
  a: { readonly origin: string; readonly lease: string },
  b: { readonly origin: string; readonly lease: string },
): void {
  if (a.origin !== origin || b.origin !== origin)
    throw new FailureError("wrong-relay", "they are about another relay than it says");
  if (a.lease !== b.lease) throw new FailureError("bad-receipt", "they are of two leases");
}

function judgeReceipts({ origin, prefix }: Evidence, { key, messages }: Pair<Receipt>): Finding {
  const [a, b] = messages;
  requireOneLease(origin, a.body, b.body);
  const identity = a.body.provider;
  if (a.id === b.id) return nothing("both are the same receipt");
  if (isContradiction({ id: a.id, ...a.body }, b.id, b.body))
    return {
      verdict: "convicts",
      key,
      identity,
      detail: `receipts ${a.body.seq} and ${b.body.seq} of lease ${a.body.lease} cannot both be true`,
    };
  const [first, second] = [a.body, b.body].map(({ count, root }) => ({ size: count, root }));
  if (first === undefined || second === undefined) return nothing("they state nothing");
  return { ...sizesFinding(first, second, prefix, "outcomes"), key, identity };
}

function judgeAdvances({ origin, prefix }: Evidence, { key, messages }: Pair<Advance>): Finding {
  const [a, b] = messages;
  requireOneLease(origin, a.body, b.body);
  const [first, second] = [a.body, b.body].map(({ taskCount, tasksRoot }) => ({
    size: taskCount,
    root: tasksRoot,
  }));
  if (first === undefined || second === undefined) return nothing("they state nothing");
  return { ...sizesFinding(first, second, prefix, "tasks"), key };
}
