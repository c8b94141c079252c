import type { EffectGrants } from "../protocol/effect-grants.ts";
import type { Cid } from "../protocol/cid.ts";
import type { Failure } from "../protocol/failure.ts";
import type { PeerId } from "../protocol/peer-id.ts";
import type { MicroCredits } from "../protocol/units.ts";
import type { ProviderLimits } from "../storage/provider-limits.ts";
import type { GovernorView } from "./governor/governor-view.ts";
import type { ModelsState } from "./model-jobs.ts";
import type { DrawEvidence } from "./read-draw.ts";
import type { Isolation } from "./thread-host.ts";

export type { ProviderLimits };

/**
 * Where a provider stands. `waiting`: ready to lease; `paused`: the governor allows nothing now, see its reasons;
 * `elsewhere`: another tab of this browser is the provider.
 */
export type ProviderPhase =
  | "stopped"
  | "starting"
  | "waiting"
  | "working"
  | "paused"
  | "reconnecting"
  | "draining"
  | "elsewhere"
  | "failed";

/** A task on a worker thread right now. */
export interface RunningTask {
  readonly lease: Cid;
  readonly seq: number;
  readonly workCid: Cid;
  readonly requester: PeerId;
  /** Milliseconds since 1970, this machine's clock. */
  readonly since: number;
}

/** Outcomes that the relay has drawn, to compute them again. */
export interface OpeningsState {
  /** Not yet at the relay. */
  readonly waiting: number;
  /** Taken by the relay since this start. */
  readonly opened: number;
}

/** The relay contradicts itself: in words, and what proves it where it was a draw. */
export interface RelayFault {
  readonly detail: string;
  readonly evidence?: DrawEvidence;
}

/** Everything a page shows of a provider; a new object at each change. */
export interface ProviderState {
  readonly phase: ProviderPhase;
  /** Present in `failed` and `reconnecting`: what happened. */
  readonly failure?: Failure;
  /** Where the failure is that the relay contradicts itself: the file that convicts it; see ledger/evidence.ts. */
  readonly evidence?: Uint8Array<ArrayBuffer>;
  /** When the next attempt to reconnect is made, milliseconds since 1970. */
  readonly retryAt?: number;
  /** Root identity: the account that earns. */
  readonly peer?: PeerId;
  readonly origin?: string;
  readonly asset?: string;
  readonly testMoney: boolean;
  /** Threads that work may go to now: those of the limits, or fewer where the governor holds some back. */
  readonly workers: number;
  /** What may be used now, and why not more; absent while nothing runs. */
  readonly governor?: GovernorView;
  /** What stands around the functions; absent until their place is open. */
  readonly isolation?: Isolation;
  readonly running: readonly RunningTask[];
  /** Since this start. */
  readonly tasksDone: number;
  readonly tasksFailed: number;
  readonly fuel: bigint;
  /** Tasks ended in the last ten seconds, per second. */
  readonly tasksPerSecond: number;
  readonly fuelPerSecond: number;
  /** Amount of all receipts of this start, reported or not. */
  readonly earned: MicroCredits;
  /** Models at work; absent where none run. */
  readonly models?: ModelsState;
  /** Receipts that wait to reach the relay. */
  readonly outbox: number;
  readonly openings: OpeningsState;
  /** Why the relay gives it no work any more; absent where nothing stands against it. */
  readonly barred?: string;
  /** What the relay has sent that cannot be true; absent where nothing was. */
  readonly relayFault?: RelayFault;
}

/** The tab as a provider, as a page sees it. */
export interface Provider {
  state(): ProviderState;
  /** Called after each change, at most every 250 ms. Answers with its own end. */
  subscribe(listener: (state: ProviderState) => void): () => void;
  /** Resolves when ready to lease, or with the state `failed` or `elsewhere`. Idempotent. */
  start(): Promise<void>;
  /** Drains: running tasks are returned, the last receipts reported. Idempotent. */
  stop(): Promise<void>;
  /** What the person gives from now on: less holds at once, more when the machine has been calm for a while. */
  setLimits(limits: ProviderLimits): void;
  /** What the person lets this tab do for others from now on. */
  setGrants(grants: EffectGrants): void;
  /** The person has deleted a model, or a page has fetched one. */
  refreshModels(): void;
}
