import type { Cid } from "../cid.ts";
import type { MessageType } from "../envelope.ts";
import type { FailureCode } from "../failure-code.ts";
import { type Header, headerFields } from "../header.ts";
import { MAX_RUN_HOLDERS, MAX_STEP_PARENTS, MAX_TASK_BYTES } from "../limits.ts";
import { HASH_BYTES, leafHash } from "../merkle.ts";
import type { PeerId } from "../peer-id.ts";
import {
  bool,
  cid,
  encode,
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
  where,
} from "../schema.ts";
import type { Fuel } from "../units.ts";
import { code } from "./session.ts";

/**
 * Header of one task: a leaf of the tree the requester names in an advance. Bound to one lease, and by it to job,
 * relay and provider, so it carries no header of its own.
 */
export interface Task {
  readonly lease: Cid;
  /** 0, 1, 2, … within the lease; also its place in the task tree. */
  readonly seq: number;
  readonly inputCid: Cid;
  /** Bytes of the input. */
  readonly size: number;
  /** 16 random bytes: low-entropy inputs are guessable from their CID (rule 14). */
  readonly salt: Uint8Array;
  /** 32 bytes that clock and randomness of the task come from; the same wherever it runs. */
  readonly seed: Uint8Array;
  readonly fuelLimit: Fuel;
  readonly deadlineMs: number;
  /** The output comes in segments, each a leaf. */
  readonly stream: boolean;
  /** Present exactly when its job belongs to a run: the provider then signs a step for it. */
  readonly step?: TaskStep;
}

/** Which step of its job's run and node a task is. */
export interface TaskStep {
  readonly iteration: string;
  readonly attempt: number;
  /** Receipts that the input came from. */
  readonly parents: readonly Cid[];
  /** Session keys of peers that hold the input: it is fetched from them by CID, and no byte of it follows. Empty: it follows. */
  readonly from: readonly PeerId[];
  /** The output stays at the provider, who gives it to those who ask by CID; its frame brings none of it. */
  readonly hold: boolean;
}

export const taskSchema: Schema<Task> = record<Task>({
  lease: cid,
  seq: uint(),
  inputCid: cid,
  size: uint(MAX_TASK_BYTES),
  salt: exactBytes(16),
  seed: exactBytes(32),
  fuelLimit: fuelAmount,
  deadlineMs: uint(),
  stream: bool,
  step: optional(
    record<TaskStep>({
      iteration: text(128),
      attempt: uint(65_535),
      parents: list(cid, MAX_STEP_PARENTS),
      from: list(peer, MAX_RUN_HOLDERS),
      hold: bool,
    }),
  ),
});

/** What happened to a task, or to one segment of a stream: a leaf of the tree a receipt stands for. */
export interface OutcomeLeaf {
  readonly lease: Cid;
  readonly seq: number;
  /** 0 unless the output is a stream; segments cover units [from, to). */
  readonly segment: number;
  readonly from: number;
  readonly to: number;
  readonly inputCid: Cid;
  readonly salt: Uint8Array;
  readonly status: "done" | "failed";
  /** Present exactly when it failed. */
  readonly code?: FailureCode;
  /** Present exactly when it is done. */
  readonly outputCid?: Cid;
  /** Bytes of the output. */
  readonly size: number;
  readonly fuel: Fuel;
  readonly stateHash?: Uint8Array;
  readonly effectsCid?: Cid;
  /** Last segment of its task. */
  readonly end: boolean;
  /** Nonce that opens the seal which was sent before the outcome, in quorum jobs; see seal-outcome.ts. */
  readonly seal?: Uint8Array;
}

const outcomeRecord: Schema<OutcomeLeaf> = record<OutcomeLeaf>({
  lease: cid,
  seq: uint(),
  segment: uint(),
  from: uint(),
  to: uint(),
  inputCid: cid,
  salt: exactBytes(16),
  status: oneOf(["done", "failed"]),
  code: optional(code),
  outputCid: optional(cid),
  size: uint(MAX_TASK_BYTES),
  fuel: fuelAmount,
  stateHash: optional(exactBytes(HASH_BYTES)),
  effectsCid: optional(cid),
  end: bool,
  seal: optional(exactBytes(HASH_BYTES)),
});

function isWhole({ status, code: failure, outputCid }: OutcomeLeaf): boolean {
  return status === "done"
    ? outputCid !== undefined && failure === undefined
    : outputCid === undefined && failure !== undefined;
}

export const outcomeSchema: Schema<OutcomeLeaf> = where(
  outcomeRecord,
  isWhole,
  "outcome has an output exactly when it is done, and a code exactly when it failed",
);

/** Encoded leaf and its hash in the tree. */
export interface EncodedLeaf {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly hash: Uint8Array;
}

export function encodeTask(task: Task): EncodedLeaf {
  const bytes = encode(taskSchema, task);
  return { bytes, hash: leafHash(bytes) };
}

export function encodeOutcome(outcome: OutcomeLeaf): EncodedLeaf {
  const bytes = encode(outcomeSchema, outcome);
  return { bytes, hash: leafHash(bytes) };
}

/**
 * The requester names the tasks that come next and countersigns the provider's last receipt, in one signature (rule 1).
 * Task trees only grow: two roots of one lease that are not prefixes of each other convict the requester.
 */
export interface Advance extends Header {
  readonly lease: Cid;
  /** The receipt countersigned; absent before the first. */
  readonly receiptCid?: Cid;
  readonly tasksRoot: Uint8Array;
  readonly taskCount: number;
  /** No more tasks will be named under this lease. */
  readonly close: boolean;
}

export const advanceMessage: MessageType<Advance> = {
  name: "advance",
  schema: record<Advance>({
    ...headerFields,
    lease: cid,
    receiptCid: optional(cid),
    tasksRoot: exactBytes(HASH_BYTES),
    taskCount: uint(),
    close: bool,
  }),
};

interface FromSeq extends Header {
  readonly lease: Cid;
  readonly seq: number;
  readonly atUnit: number;
}

const fromSeq: Schema<FromSeq> = record<FromSeq>({
  ...headerFields,
  lease: cid,
  seq: uint(),
  atUnit: uint(),
});

/** Ends one stream at a unit (rule 15). */
export type Stop = FromSeq;
export const stopMessage: MessageType<Stop> = { name: "stop", schema: fromSeq };

/** Cancels all tasks with this seq or a higher one: those not started are spared, started ones end and earn the start fee. */
export type Cancel = FromSeq;
export const cancelMessage: MessageType<Cancel> = { name: "cancel", schema: fromSeq };
