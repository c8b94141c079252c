import type { Plan } from "../plan/plan.ts";
import type { Cid } from "../protocol/cid.ts";
import type { PeerId } from "../protocol/peer-id.ts";
import type { AccountView, PublishedModel, RelayInfo } from "../protocol/relay-api.ts";
import type { JobOptions, JobSummary, MapResult } from "./job-options.ts";
import type { Embeddings, GenerateRequest, Generation, ModelJobOptions } from "./model-options.ts";
import type { HostedSchedule, HostScheduleOptions } from "./runs/host-schedule.ts";
import type { HoldRunsOptions, PlanParams, PlanRun, PlanRunOptions } from "./plan-run.ts";

/** One job under way: iterate over it for the results, in the order they become final. */
export interface JobHandle extends AsyncIterable<MapResult> {
  readonly job: Cid;
  /** What clock and randomness of an input's task follow from, 32 bytes: with it anybody computes the same again. */
  seed(index: number): Uint8Array;
  /** Resolves after the last receipt is logged and the rest refunded. Rejects when the job could not be carried out. */
  readonly summary: Promise<JobSummary>;
  /** Cancels what is open at the providers and refunds the rest. */
  cancel(): void;
}

export interface RunResult {
  readonly output: Uint8Array;
  readonly outputCid: Cid;
  readonly fuel: bigint;
  readonly summary: JobSummary;
}

/**
 * A requester at one relay. Providers can read the inputs they are given: send nothing that a stranger must not see.
 */
export interface Tabmesh {
  readonly relay: RelayInfo;
  /** The account that pays. */
  readonly requester: PeerId;
  /**
   * Runs a function on every input. Inputs are taken as providers have room (back-pressure), results come as they become
   * final, in any order; unfinished tasks of a provider that leaves are given to another.
   * @param module the WASM module. @param inputs bytes for each task.
   */
  map(
    module: Uint8Array,
    inputs: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
    options?: JobOptions,
  ): Promise<JobHandle>;
  /** Runs a function once. @throws FailureError with the function's own failure, or why it could not be run. */
  run(module: Uint8Array, input: Uint8Array, options?: JobOptions): Promise<RunResult>;
  /**
   * Writes a text, token by token; what is told is signed for. When a provider leaves, another one goes on, with the same
   * words: drawing follows from the seed and the position alone.
   * @param model published name, or the CID of a manifest
   */
  generate(model: string, request: GenerateRequest, options?: ModelJobOptions): Generation;
  /**
   * Turns texts into vectors of length 1, shared out over providers.
   * @param model published name, or the CID of a manifest
   */
  embed(model: string, texts: readonly string[], options?: ModelJobOptions): Promise<Embeddings>;
  /**
   * Runs a plan: its steps at providers, data straight from one to the next, and one budget for all of it.
   * @throws FailureError `malformed` naming the node, for a plan or parameters that cannot be run; `insufficient-funds` where
   * the budget covers not one step; what the relay says to the run.
   */
  startRun(plan: Plan, params?: PlanParams, options?: PlanRunOptions): Promise<PlanRun>;
  /**
   * Goes on with a run that this identity started, or is named a holder of: from the steps that its peers and the relay have.
   * @throws FailureError `not-found`; `denied` where it is neither.
   */
  continueRun(run: Cid, options?: PlanRunOptions): Promise<PlanRun>;
  /**
   * Looks after all runs that name this identity as a holder, and goes on with each that nobody coordinates any more: at once where its
   * coordinator has left, after 20 s of silence where it has not said so. Resolves when the signal ends it.
   */
  holdRuns(options?: HoldRunsOptions): Promise<void>;
  /**
   * Runs a plan again and again, for as long as this program is there: in a tab, of several of one browser in one. Resolves when the
   * signal ends it, or no further time comes.
   * @throws Error for times that are none
   */
  hostSchedule(schedule: HostedSchedule, options?: HostScheduleOptions): Promise<void>;
  /** What the relay keeps for everybody. */
  models(): Promise<readonly PublishedModel[]>;
  account(): Promise<AccountView | undefined>;
  /**
   * Cancels what is open and leaves the mesh. Waits up to five seconds for the openings that follow a job: results that the
   * requester's own secret has drawn to be recomputed.
   */
  close(): Promise<void>;
}
