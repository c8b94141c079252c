import type { Cid } from "../../protocol/cid.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import type { MicroCredits } from "../../protocol/units.ts";
import type { JobRow } from "./books-store.ts";

/** A run; its terms, holders and end are in their entries. */
export interface RunRow {
  readonly id: Cid;
  /** Entry of the run message, of its newest run-holders, and of its end. */
  readonly index: number;
  readonly holdersIndex?: number;
  readonly endedIndex?: number;
  readonly initiator: PeerId;
  readonly payer: PeerId;
  readonly budget: MicroCredits;
  /** What its jobs set aside or spent. */
  readonly charged: MicroCredits;
}

/** Which job carried out a node of a run. */
export interface RunJobRow {
  readonly run: Cid;
  readonly node: string;
  readonly turn: number;
  readonly job: Cid;
}

/** Who holds a run that is not over; nobody once it is. */
export interface RunHoldingRow {
  /** Entry of the run message. */
  readonly index: number;
  /** The run's notAfter, milliseconds since 1970. */
  readonly until: number;
  readonly holders: readonly PeerId[];
}

/** What one group commit writes about runs. Rows replace those of the same key. */
export interface RunRows {
  readonly runs: readonly RunRow[];
  readonly jobs: readonly RunJobRow[];
  readonly holdings: readonly RunHoldingRow[];
}

/** Where runs live; see BooksStore. */
export interface RunStore {
  run(id: Cid): RunRow | undefined;
  /** Runs that an account started or pays for, with an entry below `before`, newest first. */
  runsOf(account: PeerId, before: number, limit: number): readonly RunRow[];
  /** Runs that are not over, have time left at `now`, and name an account as a holder, with an entry below `before`, newest first. */
  heldBy(account: PeerId, now: number, before: number, limit: number): readonly RunRow[];
  /** The job of a turn. */
  runJob(run: Cid, node: string, turn: number): Cid | undefined;
  /** The highest turn that a node had. */
  lastTurn(run: Cid, node: string): number | undefined;
  /** Jobs of a run, or of one of its nodes, that are open. */
  openJobs(run: Cid, node?: string): readonly Cid[];
  /** Jobs of a run, newest first. */
  jobsOf(run: Cid, limit: number): readonly (JobRow & Pick<RunJobRow, "node" | "turn">)[];
  /** The run that a job belongs to, and its step. */
  stepOf(job: Cid): RunJobRow | undefined;
  /** Whether an identity has or had a lease in a run. */
  works(run: Cid, provider: PeerId): boolean;
  /** Paid or promised under all jobs of a run, micro-credits. */
  spent(run: Cid): bigint;
  /** Everything, for the recomputation from entries. */
  everything(): RunRows;
}
