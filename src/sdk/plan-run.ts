import type { Callee, Plan, StepLimits } from "../plan/plan.ts";
import type { RunRecord } from "../plan/run-record.ts";
import type { RunEvent, RunFailure } from "../plan/runner-ports.ts";
import type { Cid } from "../protocol/cid.ts";
import type { FailureCode } from "../protocol/failure-code.ts";
import { FailureError } from "../protocol/failure.ts";
import type { PeerId } from "../protocol/peer-id.ts";
import type { Tariff } from "../protocol/tariff.ts";
import type { MicroCredits } from "../protocol/units.ts";

import type { JobPayer } from "./model-options.ts";

/**
 * What a run is given for each parameter of its plan: of type `bytes` a Uint8Array, of type `text` a string, of all others
 * what JSON can hold. A Uint8Array for another type is taken as the value's bytes, as they are.
 */
export type PlanParams = Readonly<Record<string, unknown>>;

/** A function or model on one input, on this machine. Never rejects for what it does, only for what this machine lacks. */
export type ComputeHere = (
  callee: Callee,
  task: { readonly input: Uint8Array; readonly seed: Uint8Array; readonly limits: StepLimits },
  signal: AbortSignal,
) => Promise<
  | { readonly kind: "done"; readonly output: Uint8Array; readonly fuel: bigint }
  | { readonly kind: "failed"; readonly code: FailureCode; readonly detail: string; readonly fuel: bigint }
>;

/** How a plan is run. */
export interface PlanRunOptions {
  /**
   * The most the whole run may cost, micro-credits: the relay sets nothing more aside for it, whatever peers do. Default: what
   * the plan costs at its limits at the relay's tariff, at most half the balance.
   */
  readonly budget?: bigint;
  /** Nothing of it begins after so long. Default one hour. */
  readonly timeoutMs?: number;
  /** Where the result waits when the initiator has left: "relay", the default, or an https URL that is sent its CID. */
  readonly returnTo?: string;
  /** Root identities of who may go on when the initiator falls silent, first come first. Default: nobody. */
  readonly holders?: readonly PeerId[];
  /**
   * Secrets by the names that capabilities give them. Each is sealed to the peer that carries out an effect which names it, and
   * stands in no message, receipt or record.
   */
  readonly secrets?: Readonly<Record<string, string>>;
  /** Functions that the plan names and that nobody else may have: given to providers and to the relay by CID. */
  readonly modules?: readonly Uint8Array[];
  /** Root identities of the only providers that steps placed "any" may go to. Default: all. */
  readonly providers?: readonly PeerId[];
  /** Who pays, where it is not the requester: by an api-key that lets it. */
  readonly payer?: JobPayer;
  /** 16 bytes, and the time of signing in milliseconds since 1970: together they make the run's identity the same again. */
  readonly nonce?: Uint8Array;
  readonly issuedAt?: number;
  /** To continue a run: without waiting until those who come before as its coordinators are silent. What they have open stays theirs. */
  readonly atOnce?: boolean;
  /** A step that takes longer is given to a second provider as well, milliseconds. Default 30,000. */
  readonly hedgeAfterMs?: number;
  /** The highest price accepted. Default: the relay's tariff. */
  readonly tariffMax?: Tariff;
  /** Without any provider for that long a step fails. Default 60,000 ms. */
  readonly noProviderTimeoutMs?: number;
  /** Computes here what the plan places at its coordinator, or has computed again ("replay"). Without it such steps fail. */
  readonly compute?: ComputeHere;
  /** Cancels the run: what is open at providers is cancelled, the rest refunded. */
  readonly signal?: AbortSignal;
  /** Told each event as it happens, the same that `events` gives. */
  readonly onEvent?: (event: RunEvent) => void;
}

/** How runs of others are held. */
export interface HoldRunsOptions extends Pick<
  PlanRunOptions,
  "compute" | "hedgeAfterMs" | "noProviderTimeoutMs" | "tariffMax"
> {
  /** Only runs that one of these identities has started. Default: anybody's that names this one. */
  readonly for?: readonly PeerId[];
  /** Runs that are carried on at a time. Default 8. */
  readonly most?: number;
  /** Ends it: what is under way is left to other holders. */
  readonly signal?: AbortSignal;
  /** Told of each run that is taken over. */
  readonly onRun?: (run: PlanRun) => void;
  /** Told why the relay could not be asked, or why a run could not be taken over; both are tried again. */
  readonly onTrouble?: (error: unknown, run?: Cid) => void;
}

/** The value that a run ended with. */
export interface PlanResult {
  /** CID (raw) of the bytes. */
  readonly cid: Cid;
  readonly bytes: Uint8Array;
  /** As its type says: a Uint8Array of `bytes`, a string of `text`, of all others what the JSON holds. */
  readonly value: unknown;
}

/** What a run has come to, and cost. */
export interface PlanRunSummary {
  readonly run: Cid;
  /** Steps by how they ended. */
  readonly done: number;
  readonly failed: number;
  readonly skipped: number;
  /** Attempts without any receipt: the peer left, or was never found. */
  readonly lost: number;
  /** Root identities of the providers that carried out steps. */
  readonly providers: readonly PeerId[];
  /** Jobs that were opened for it. */
  readonly jobs: readonly Cid[];
  /** Micro-credits: what providers earned and a fee for each lease. */
  readonly spent: MicroCredits;
  /** Micro-credits that the run was allowed to cost. */
  readonly budget: MicroCredits;
  readonly elapsedMs: number;
  /** Absent where it came to a result. */
  readonly failure?: RunFailure;
}

/** One run of a plan under way. */
export interface PlanRun extends AsyncIterable<RunEvent> {
  /** CID of the signed run: every receipt names it. */
  readonly id: Cid;
  readonly plan: Plan;
  /** From the first event to the last, `over`; each reader gets all of them, and may come late. */
  readonly events: AsyncIterable<RunEvent>;
  /**
   * The result, when it is there. Its jobs may still be settling then.
   * @throws PlanRunError where the run failed, with the node, the peer, what was paid and what to do.
   */
  result(): Promise<PlanResult>;
  /** When all jobs are settled. Never rejects: a failed run has cost something too. */
  readonly summary: Promise<PlanRunSummary>;
  /** What anybody else needs to check the run, as far as it has come: see `verifyRun`. */
  record(): RunRecord;
  /** A value of this run by its CID, from here or from those who hold it. @throws FailureError `function-unavailable` */
  value(cid: Cid, signal?: AbortSignal): Promise<Uint8Array>;
  /** Cancels what is open at the providers and refunds the rest. */
  cancel(): void;
  /**
   * Leaves the run to whoever continues it: nothing more is given out here, what is under way is cancelled, what was signed waits
   * at the relay. `result` rejects, `summary` says what it has cost until here.
   */
  leave(): Promise<void>;
}

/** A run that failed. `message` says it in one line; `failure` has the parts. */
export class PlanRunError extends FailureError {
  readonly failure: RunFailure;

  constructor(failure: RunFailure, options?: ErrorOptions) {
    super(failure.code, failure.detail, options);
    this.failure = failure;
  }
}
