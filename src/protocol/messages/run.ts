import type { Cid } from "../cid.ts";
import type { MessageType } from "../envelope.ts";
import type { FailureCode } from "../failure-code.ts";
import { type Header, headerFields } from "../header.ts";
import {
  MAX_ENVELOPE_BYTES,
  MAX_PLAN_BYTES,
  MAX_RUN_HOLDERS,
  MAX_RUN_PARAMS_BYTES,
  MAX_STEP_PARENTS,
  MAX_STEPS_PER_BATCH,
  MAX_TASK_BYTES,
} from "../limits.ts";
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
  uint,
  where,
} from "../schema.ts";
import type { Fuel, MicroCredits } from "../units.ts";
import { code } from "./session.ts";

/**
 * One run of a plan. The CID of this body is the run's identity: every receipt names it, so nothing signed for one run counts
 * in another. Signed by the initiator; with it the payer lets the run's coordinators spend its money, up to the budget.
 */
export interface Run extends Header {
  /** Root identity of whoever starts it. */
  readonly initiator: PeerId;
  /** Who pays; signs as well where it is another. */
  readonly payer: PeerId;
  /**
   * In place of the payer's signature: the api-key of the payer that lets the initiator spend its money. What the run's jobs set
   * aside counts for the key as well, nobody else may coordinate, and a key that is revoked ends the run.
   */
  readonly apiKey?: Cid;
  readonly plan: Cid;
  /** CID (raw) of the parameters: canonical JSON of {name: CID of the value}. */
  readonly params: Cid;
  /** 16 random bytes. */
  readonly nonce: Uint8Array;
  /** Milliseconds since 1970. */
  readonly issuedAt: number;
  /** Nothing of it begins after that. */
  readonly notAfter: number;
  /** The most that all its jobs together may cost, micro-credits. */
  readonly budget: MicroCredits;
  /** Where the result waits when the initiator has left: "relay", or an https URL that is sent its CID. */
  readonly returnTo: string;
}

export const runMessage: MessageType<Run> = {
  name: "run",
  schema: record<Run>({
    ...headerFields,
    initiator: peer,
    payer: peer,
    apiKey: optional(cid),
    plan: cid,
    params: cid,
    nonce: exactBytes(16),
    issuedAt: uint(),
    notAfter: uint(),
    budget: amount,
    returnTo: text(1_024),
  }),
};

/**
 * Who may coordinate the run besides its initiator, first come first: each may open jobs of its steps at the payer's expense.
 * Signed by the initiator; replaced by one with a higher `rev`.
 */
export interface RunHolders extends Header {
  readonly run: Cid;
  readonly rev: number;
  /** Root identities. */
  readonly holders: readonly PeerId[];
}

export const runHoldersMessage: MessageType<RunHolders> = {
  name: "run-holders",
  schema: record<RunHolders>({
    ...headerFields,
    run: cid,
    rev: uint(65_535),
    holders: list(peer, MAX_RUN_HOLDERS),
  }),
};

/**
 * The run is over: nothing more of it begins, and what it has not spent is free. Signed by its initiator, its payer, or one of its
 * holders. The first one counts.
 */
export interface RunEnd extends Header {
  readonly run: Cid;
  readonly status: "done" | "failed" | "cancelled";
  /** CID (raw) of the result; present exactly when it is done. */
  readonly result?: Cid;
  /** Present exactly when it failed. */
  readonly code?: FailureCode;
  /** For people: why it ended. */
  readonly detail?: string;
}

export const runEndMessage: MessageType<RunEnd> = {
  name: "run-end",
  schema: where(
    record<RunEnd>({
      ...headerFields,
      run: cid,
      status: oneOf(["done", "failed", "cancelled"]),
      result: optional(cid),
      code: optional(code),
      detail: optional(text(512)),
    }),
    ({ status, result, code: failure }) =>
      (status === "done") === (result !== undefined) && (status === "failed") === (failure !== undefined),
    "run-end has a result exactly when it is done, and a code exactly when it failed",
  ),
};

/**
 * Shows a relay or a peer who asks about a run: its parameters, receipts and values are for those who take part alone. Sent to a
 * relay as base64 in the header RUN_ACCESS_HEADER; signed by a session of the initiator, the payer, a holder, or a provider that
 * has a lease in it.
 */
export interface RunAccess extends Header {
  readonly run: Cid;
  /** The one that it is shown to, who cannot pass it on: the mesh key of the relay, or a peer's session key. */
  readonly audience: PeerId;
  /** Milliseconds since 1970; it counts for an hour. */
  readonly issuedAt: number;
}

export const runAccessMessage: MessageType<RunAccess> = {
  name: "run-access",
  schema: record<RunAccess>({ ...headerFields, run: cid, audience: peer, issuedAt: uint() }),
};

/** What registers a run: everything that whoever continues it needs. */
export interface RunRegistration {
  /** Run envelope. */
  readonly run: Uint8Array;
  readonly plan: Uint8Array;
  readonly params: Uint8Array;
}

export const runRegistrationSchema: Schema<RunRegistration> = record<RunRegistration>({
  run: bytes(MAX_ENVELOPE_BYTES),
  plan: bytes(MAX_PLAN_BYTES),
  params: bytes(MAX_RUN_PARAMS_BYTES),
});

/** Receipts of a run that a relay is given. None: its coordinator is there. */
export interface StepBatch {
  /** Step envelopes. */
  readonly steps: readonly Uint8Array[];
  /** The coordinator who brings them gives nothing more out: others may go on at once, without waiting until it counts as silent. */
  readonly leaving: boolean;
}

export const stepBatchSchema: Schema<StepBatch> = record<StepBatch>({
  steps: list(bytes(MAX_ENVELOPE_BYTES), MAX_STEPS_PER_BATCH),
  leaving: bool,
});

/** Receipts of a run from a place on, in the order in which they came. */
export interface StepPage {
  /** Place after the last of these: where to ask on. */
  readonly next: number;
  /** Receipts that there are in all. */
  readonly total: number;
  readonly steps: readonly Uint8Array[];
}

export const stepPageSchema: Schema<StepPage> = record<StepPage>({
  next: uint(),
  total: uint(),
  steps: list(bytes(MAX_ENVELOPE_BYTES), MAX_STEPS_PER_BATCH),
});

/**
 * What came of one step, whatever it was: signed by the peer that carried it out. Two different ones of one peer for one
 * (run, node, iteration, attempt) prove that it lied.
 */
export interface Step {
  readonly run: Cid;
  readonly node: string;
  /** Place in the maps, loops and retries around it, outermost first, as in "3.0"; "" outside of all. */
  readonly iteration: string;
  /** 0, 1, …: the same step given out again after a loss, or to several at once. */
  readonly attempt: number;
  readonly status: "done" | "failed" | "skipped";
  /** Present exactly when it failed. */
  readonly code?: FailureCode;
  /** For people; present only when it failed. */
  readonly detail?: string;
  /** CID (raw) of the input; of steps without one the CID of no bytes. */
  readonly args: Cid;
  /** CID (raw) of the value; present exactly when it is done. */
  readonly result?: Cid;
  /** Bytes of the value. */
  readonly size: number;
  /** Function, model manifest or capability that was used; absent where the plan itself says all. */
  readonly callee?: Cid;
  readonly profile: number;
  readonly fuel: Fuel;
  /** CID (raw) of the record of an effect. */
  readonly record?: Cid;
  /** Receipts (CIDs of their bodies) that the input came from, in the plan's order. */
  readonly parents: readonly Cid[];
  /** What it is paid under: lease and place in it; absent for steps that nobody is paid for. */
  readonly lease?: Cid;
  readonly seq?: number;
}

export const stepMessage: MessageType<Step> = {
  name: "step",
  schema: where(
    record<Step>({
      run: cid,
      node: text(64),
      iteration: text(128),
      attempt: uint(65_535),
      status: oneOf(["done", "failed", "skipped"]),
      code: optional(code),
      detail: optional(text(512)),
      args: cid,
      result: optional(cid),
      size: uint(MAX_TASK_BYTES),
      callee: optional(cid),
      profile: uint(65_535),
      fuel: fuelAmount,
      record: optional(cid),
      parents: list(cid, MAX_STEP_PARENTS),
      lease: optional(cid),
      seq: optional(uint()),
    }),
    ({ status, code: failure, result, lease, seq }) =>
      (status === "done") === (result !== undefined) &&
      (status === "failed") === (failure !== undefined) &&
      (lease === undefined) === (seq === undefined),
    "step has a result exactly when it is done, a code exactly when it failed, and a place in a lease or none",
  ),
};
