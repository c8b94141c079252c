import type { Cid } from "./cid.ts";
import type { FailureCode } from "./failure-code.ts";
import type { PeerId } from "./peer-id.ts";
import type { MicroCredits } from "./units.ts";

/** What the relay tells of runs and names. */

/** How a run stands: going on, or how it ended. Out of time: past its notAfter without anybody saying how it ended. */
export const RUN_STATES = ["open", "done", "failed", "cancelled", "out-of-time"] as const;
export type RunState = (typeof RUN_STATES)[number];

/** One job of a run. */
export interface RunJobView {
  readonly job: Cid;
  readonly node: string;
  readonly turn: number;
  /** Root identity of who opened it. */
  readonly coordinator: PeerId;
  readonly state: "open" | "closing" | "closed";
  readonly cap: MicroCredits;
  readonly spent: MicroCredits;
  readonly refunded: MicroCredits;
}

/** What a list of runs says of each. */
export interface RunSummary {
  readonly run: Cid;
  readonly plan: Cid;
  /** Of the plan; empty where it cannot be read any more. */
  readonly name: string;
  readonly initiator: PeerId;
  readonly payer: PeerId;
  readonly state: RunState;
  readonly budget: MicroCredits;
  /** Paid or promised to providers so far. */
  readonly spent: MicroCredits;
  /** By the initiator's clock, milliseconds since 1970. */
  readonly issuedAt: number;
  /** Log time of its entry, which a list goes on below. */
  readonly entryIndex: number;
}

/** A coordinator and when the relay heard of it last. */
export interface CoordinatorView {
  readonly peer: PeerId;
  /** Milliseconds since it gave a sign of life; absent where it never did since the relay started. */
  readonly silentMs?: number;
}

/** All that the relay says of a run to everybody: its log is public. */
export interface RunView extends RunSummary {
  /** Of its jobs, set aside and neither spent nor given back. */
  readonly setAside: MicroCredits;
  /** What further jobs may set aside. */
  readonly left: MicroCredits;
  readonly params: Cid;
  readonly notAfter: number;
  readonly returnTo: string;
  /** The initiator, then the holders in order. */
  readonly coordinators: readonly CoordinatorView[];
  /** Of the newest run-holders; 0 before the first. */
  readonly holdersRev: number;
  /** Entry of that. */
  readonly holdersIndex?: number;
  /** Receipts that wait at the relay. */
  readonly steps: number;
  /** Log time of its end, milliseconds since 1970. */
  readonly endedAt?: number;
  readonly result?: Cid;
  readonly code?: FailureCode;
  readonly detail?: string;
  /** The newest ones, at most MAX_LISTED_RUN_JOBS. */
  readonly jobs: readonly RunJobView[];
}

/** A peer that a name stands for. */
export interface NamePeer {
  readonly peer: PeerId;
  /** It offers work at this relay now. */
  readonly online: boolean;
  /** Multiaddrs of its offers; none while it is away. */
  readonly addresses: readonly string[];
}

/** A name and who answers for it. */
export interface NameView {
  readonly name: string;
  readonly owner: PeerId;
  readonly version: number;
  readonly issuedAt: number;
  readonly expires: number;
  readonly plan?: Cid;
  readonly peers?: readonly NamePeer[];
  /** The owner's message, which says all but who is online, and is signed. */
  readonly envelope: Uint8Array;
}
